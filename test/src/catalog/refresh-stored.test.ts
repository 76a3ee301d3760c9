import { describe, expect, it } from '@jest/globals';
import { refreshStored } from '../../../src/catalog/refresh-stored.ts';
import { openSqliteCatalog, type SqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import type { StoredRepository } from '../../../src/catalog/stored-repository.ts';
import type { ReadFile } from '../../../src/repositories/format.ts';
import { sha256 } from '../../support/importing.ts';

const importerId = 'a'.repeat(24);
const stored: StoredRepository = {
  ...{ prefix: '/r', importerId, format: 'files', base: 'http://feed/', selection: {}, strict: false, follows: true },
  ...{ packages: 0, metadata: 0, succeeded: 0, attempted: 0 },
};
const MANIFEST = `a.iso,${sha256('A')},1\n`;

/** A catalog that has the repository, and a refresh of it that something else interrupts. */
const refreshing = async (meanwhile: (catalog: SqliteCatalog) => void) => {
  const catalog = openSqliteCatalog(':memory:');
  catalog.repositories.save(stored);
  const read: ReadFile = async function* () {
    meanwhile(catalog);
    yield Buffer.from(MANIFEST);
  };
  return { catalog, refreshed: refreshStored(catalog, stored, { read }) };
};

describe('the refresh of a stored repository', () => {
  it.each<[string, (catalog: SqliteCatalog) => void, number]>([
    ['removed', ({ entries }) => entries.removeBelow('/r'), 0],
    ['followed in another way', ({ repositories }) => repositories.save({ ...stored, selection: { lists: ['x'] } }), 1],
    ['moved to another feed', ({ repositories }) => repositories.save({ ...stored, base: 'http://other/' }), 1],
    ['imported', ({ repositories }) => repositories.save({ ...stored, follows: false }), 1],
  ])('changes nothing if it was %s while it was read', async (_, meanwhile, repositories) => {
    const { catalog, refreshed } = await refreshing(meanwhile);
    await expect(refreshed).rejects.toThrow('/r: its repository was changed or removed while it was read');
    expect(catalog.repositories.list()).toHaveLength(repositories);
    expect([...catalog.entries.list('/')]).toEqual([]);
  });

  it('counts if only what became of earlier ones was noted', async () => {
    const { catalog, refreshed } = await refreshing(({ repositories }) => repositories.failed(stored, 1, 'down'));
    expect(await refreshed).toMatchObject({ packages: 1 });
    expect(catalog.repositories.find(stored)?.problem).toBeUndefined();
  });
});
