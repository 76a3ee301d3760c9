import type { Listing } from '../catalog/listing.ts';
import { storeListing } from '../catalog/store-listing.ts';
import type { Settings } from '../config/schema.ts';
import { checkDatabase, databaseOf } from './database-settings.ts';
import { openOwnCatalog } from './own-catalog.ts';

/**
 * Opens the catalog that the settings choose, for commands that show it. Rejects if a file or a
 * setting cannot be used.
 */
export const openListing = async (settings: Settings): Promise<Listing> => {
  if (settings.catalogType !== 'mongodb') return storeListing(await openOwnCatalog(settings));
  await checkDatabase(settings);
  const [{ connectMongo }, { mongoListing }] = await Promise.all([
    import('../catalog/mongodb/connection.ts'),
    import('../catalog/mongodb/listing.ts'),
  ]);
  const { storageDir, pluginConfigDir, mongodbTimeout: maxTime } = settings;
  return mongoListing(connectMongo(databaseOf(settings), maxTime), { storageDir, pluginConfigDir, maxTime });
};
