import { join } from 'node:path';
import { openSqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import { sqliteRefreshStore } from '../../../src/catalog/sqlite/refresh-store.ts';
import { refreshStoreContract } from '../../contracts/refresh-store.ts';
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
