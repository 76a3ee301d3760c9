import { afterEach, expect, it } from '@jest/globals';
import { openSqliteCatalog } from '../../../../src/catalog/sqlite/catalog.ts';
import { sqliteRefreshStore } from '../../../../src/catalog/sqlite/refresh-store.ts';

const catalog = openSqliteCatalog(':memory:');
const store = sqliteRefreshStore(catalog);
afterEach(() => catalog.close());

it('takes a lease of a process that died before the clock was set back', async () => {
  const NOW = 1_800_000_000;
  expect(await store.acquire('source', 'dead', NOW + 3_000, NOW + 3_060)).toBe(true);
  expect(await store.acquire('source', 'next', NOW, NOW + 60)).toBe(true);
  // One that counts is left alone.
  expect(await store.acquire('source', 'another', NOW + 1, NOW + 61)).toBe(false);
});
