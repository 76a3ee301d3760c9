import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { lastValueFrom } from 'rxjs';
import { openSqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import { sqliteRefreshStore } from '../../../src/catalog/sqlite/refresh-store.ts';
import { refreshStoreContract } from '../../contracts/refresh-store.ts';
import { describeMongo, serverName } from '../../support/mongodb.ts';
import { sharedStores } from '../../support/shared-catalog.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();

refreshStoreContract('SQLite', async () => {
  const file = join(newFolder(), 'catalog.db');
  const [one, two] = [openSqliteCatalog(file), openSqliteCatalog(file)];
  return {
    one: sqliteRefreshStore(one),
    two: sqliteRefreshStore(two),
    urls: async (sourceId) =>
      one.refreshes
        .search('iso', {})
        .filter((offer) => offer.sourceId === sourceId)
        .map(({ url }) => url),
    close: async () => {
      one.close();
      two.close();
    },
  };
});

describeMongo(`with ${serverName}`, () => {
  const stores = sharedStores();

  refreshStoreContract('The shared catalog', async () => {
    const catalog = await stores.catalog();
    const [one, two] = [await catalog.open(), await catalog.open()];
    return {
      one: one.refreshes,
      two: two.refreshes,
      urls: (source_id) =>
        one.session.ask(async ({ db }) => {
          const found = await db.collection('offers').find({ source_id }).sort({ _id: 1 }).toArray();
          return found.map(({ url }) => String(url));
        }),
      close: async () => {},
    };
  });
});

describe('the store of refreshes', () => {
  it('waits for the write of another process without blocking this thread, and then writes', async () => {
    const file = join(newFolder(), 'catalog.db');
    const catalog = openSqliteCatalog(file, { busyTimeout: 0 });
    const rows: number[] = [];
    const store = sqliteRefreshStore(catalog, (count) => rows.push(count));
    using writer = new DatabaseSync(file);
    writer.exec('BEGIN IMMEDIATE');
    const leased = store.acquire('source', 'holder', 0, 9);
    const refresh = store.begin('source', 0);
    await setImmediate();
    // The thread is free, and the catalog is read.
    expect(await lastValueFrom(catalog.lookup('/x'), { defaultValue: undefined })).toBeUndefined();
    expect(rows).toEqual([]);
    writer.exec('COMMIT');
    expect(await leased).toBe(true);
    expect(await refresh).toMatchObject({ sourceId: 'source' });
    expect(rows).toEqual([1, 1]);
    catalog.close();
    await expect(store.begin('source', 0)).rejects.toThrow(/finalized|not open/);
  });
});
