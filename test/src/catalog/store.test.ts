import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { openTables, type Tables } from '../../../src/catalog/sqlite/tables.ts';
import { catalogStoreContract } from '../../contracts/catalog-store.ts';
import { historyContract } from '../../contracts/history.ts';
import { describeMongo, serverName } from '../../support/mongodb.ts';
import { sharedStores } from '../../support/shared-catalog.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();
const opened: Tables[] = [];
afterAll(() => {
  for (const { close } of opened) closeOnce(close);
});

/** A test may have closed it. */
const closeOnce = (close: () => void): void => {
  try {
    close();
  } catch {}
};

const openSqlite = (file: string): Tables => {
  const tables = openTables(file);
  opened.push(tables);
  return tables;
};

catalogStoreContract('SQLite', {
  open: async () => openSqlite(':memory:'),
  openTwo: async () => {
    const file = join(newFolder(), 'catalog.db');
    return [openSqlite(file), openSqlite(file)];
  },
});

historyContract('SQLite', async () => openSqlite(':memory:'), 300);

describeMongo(`with ${serverName}`, () => {
  const stores = sharedStores();
  historyContract('The shared catalog', async () => (await stores.catalog()).open(), 15);
  catalogStoreContract('The shared catalog', {
    open: async () => (await stores.catalog()).open(),
    openTwo: async () => {
      const catalog = await stores.catalog();
      return [await catalog.open(), await catalog.open()];
    },
  });
});
