import { distinctUntilChanged, switchMap } from 'rxjs';
import type { Connection } from '../catalog/mongodb/connection.ts';
import type { Settings } from '../config/schema.ts';
import type { CatalogNotices, CatalogParts } from './chosen-catalog.ts';
import { checkDatabase, databaseFiles, databaseOf } from './database-settings.ts';
import { textsOf } from './identity-files.ts';
import { type Succession, succession } from './succession.ts';

/** Pulp's database as the catalog. */
export const openPulpCatalog = async (
  settings: Settings,
  opening: AsyncDisposableStack,
  onUnitMissing: CatalogNotices['onUnitMissing'],
): Promise<CatalogParts> => {
  await checkDatabase(settings);
  // The driver takes half a second and 30 MB: it is loaded only if it is used.
  const [
    { connectMongo },
    { openMongoCatalog },
    { mongoListing },
    { inBatches },
    { mongoRefreshStore },
    { mongoOfferSearch },
  ] = await Promise.all([
    import('../catalog/mongodb/connection.ts'),
    import('../catalog/mongodb/catalog.ts'),
    import('../catalog/mongodb/listing.ts'),
    import('../catalog/shared/in-batches.ts'),
    import('../catalog/mongodb/refreshes.ts'),
    import('../catalog/mongodb/offer-search.ts'),
  ]);
  const databases = opening.adopt(
    succession(
      () => ({ database: databaseOf(settings), files: textsOf(databaseFiles(settings)) }),
      (part) => connectMongo(part.database, settings.mongodbTimeout),
    ),
    ({ close }) => close(),
  );
  const database = presentOf(databases);
  const { mongodbTimeout: maxTime } = settings;
  const options = {
    get storageDir() {
      return settings.storageDir;
    },
    get pluginConfigDir() {
      return settings.pluginConfigDir;
    },
    ...{ maxTime, onUnitMissing },
  };
  const catalog = openMongoCatalog(database, options);
  const store = mongoRefreshStore(database, maxTime);
  opening.defer(() => store.settled());
  const { entries } = mongoListing(database, options);
  const usable = async function* () {
    for await (const batch of inBatches(entries('/', 'age')))
      yield batch.flatMap((one) => ('problem' in one ? [] : [one]));
  };
  const search = mongoOfferSearch(database, maxTime);
  return { ...catalog, store, search, tidied: usable, renew: databases.renew, database, ready: database.ready };
};

/** The connection to the database that the settings name at each moment. */
const presentOf = ({ use, each, current, close }: Succession<Connection>): Connection => ({
  ask: (question) => use(({ ask }) => ask(question)),
  ready: each.pipe(
    switchMap(({ ready }) => ready),
    distinctUntilChanged(),
  ),
  isPrivate: current.isPrivate,
  close,
});
