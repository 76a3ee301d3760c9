import type { Listing } from '../catalog/listing.ts';
import { sqliteListing } from '../catalog/sqlite/listing.ts';
import { openTables } from '../catalog/sqlite/tables.ts';
import type { Settings } from '../config/schema.ts';
import { checkDatabase, databaseOf } from './database-settings.ts';

/**
 * Opens the catalog that the settings choose, for commands that show it. Rejects if a file or a
 * setting cannot be used.
 */
export const openListing = async (settings: Settings): Promise<Listing> => {
  if (settings.catalogType === 'sqlite') return sqliteListing(openTables(settings.catalog));
  await checkDatabase(settings);
  const [{ connectMongo }, { mongoListing }] = await Promise.all([
    import('../catalog/mongodb/connection.ts'),
    import('../catalog/mongodb/listing.ts'),
  ]);
  const { storageDir, pluginConfigDir, mongodbTimeout: maxTime } = settings;
  return mongoListing(connectMongo(databaseOf(settings), maxTime), { storageDir, pluginConfigDir, maxTime });
};
