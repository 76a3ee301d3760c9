import { unitIdOf } from '../../../src/catalog/locator.ts';
import { openMongoCatalog } from '../../../src/catalog/mongodb/catalog.ts';
import { connectMongo } from '../../../src/catalog/mongodb/connection.ts';
import { mongoOfferSearch } from '../../../src/catalog/mongodb/offer-search.ts';
import { sharedCatalog } from '../../../src/catalog/shared/catalog.ts';
import { sharedOfferSearch } from '../../../src/catalog/shared/open.ts';
import { openSqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import { sqliteOfferSearch } from '../../../src/catalog/sqlite/offer-search.ts';
import { catalogContract } from '../../contracts/catalog.ts';
import { databaseSettings } from '../../support/database-settings.ts';
import { describeMongo, mongodb, serverName } from '../../support/mongodb.ts';
import { sharedStores } from '../../support/shared-catalog.ts';
import { temporaryFolders } from '../../support/temporary.ts';

catalogContract('SQLite', async ({ now }) => {
  const catalog = openSqliteCatalog(':memory:', { now });
  return {
    catalog,
    search: sqliteOfferSearch(catalog),
    addEntry: async (entry, unitKey) => {
      const staging = catalog.entries.stage();
      staging.write([{ ...entry, unitKey }]);
      staging.publishAsIs();
    },
    removeEntries: async (path) => {
      catalog.entries.remove(path);
    },
    addImporter: async (config) => catalog.importers.add({ config }).id,
    addUnit: async (typeId, key) => unitIdOf(typeId, key),
    addOffer: async (sourceId, typeId, unitKey, url, expiration) =>
      catalog.content.add([{ sourceId, typeId, unitKey, url, expiration }]),
    close: async () => catalog.close(),
  };
});

describeMongo(`with ${serverName}`, () => {
  const stores = sharedStores();

  catalogContract('The shared catalog', async ({ now }) => {
    const store = await (await stores.catalog()).open();
    const { entries, importers, refreshes } = store;
    return {
      catalog: sharedCatalog(store, { maxTime: 20_000, now }),
      search: sharedOfferSearch(store, 20_000),
      addEntry: async (entry, unitKey) => {
        const staging = await entries.stage();
        await staging.write([{ ...entry, unitKey }]);
        await staging.publishAsIs();
      },
      removeEntries: async (path) => {
        await entries.remove(path);
      },
      addImporter: async (config) => (await importers.add({ config })).id,
      addUnit: async (typeId, key) => unitIdOf(typeId, key),
      addOffer: async (sourceId, typeId, unitKey, url, expiration) => {
        const mark = Math.floor(now() / 1000);
        await refreshes.add({ sourceId, mark, token: '' }, [{ sourceId, typeId, unitKey, url, expiration }]);
      },
      close: async () => {},
    };
  });

  const mongo = mongodb();
  const newFolder = temporaryFolders();

  catalogContract('MongoDB', async ({ now }) => {
    const server = await mongo.server();
    const { name, pulp } = await mongo.database(server);
    const database = connectMongo(databaseSettings({ url: server.url, name }), 20_000);
    const folders = { storageDir: newFolder(), pluginConfigDir: newFolder() };
    return {
      catalog: openMongoCatalog(database, { ...folders, maxTime: 20_000, keepFor: 0, now }),
      search: mongoOfferSearch(database, 20_000),
      addEntry: async ({ path, importerId, unitId, unitTypeId, url, revision, checksum, data }) => {
        await pulp.unitOf(unitTypeId, unitId);
        await pulp.entry({
          path,
          importer_id: importerId,
          unit_id: unitId,
          unit_type_id: unitTypeId,
          url,
          revision,
          checksum: checksum?.value,
          algorithm: checksum?.algorithm,
          data,
        });
      },
      removeEntries: async (path) => {
        await pulp.removeEntries(path);
      },
      addImporter: (config) => pulp.importer(config),
      addUnit: pulp.unit,
      addOffer: pulp.offer,
      close: database.close,
    };
  });
});
