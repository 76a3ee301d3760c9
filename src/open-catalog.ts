import { type Observable, of } from 'rxjs';
import type { Catalog } from '../pipelines/index.ts';
import type { Connection } from './catalog/mongodb/connection.ts';
import { openSqliteCatalog, type SqliteCatalog } from './catalog/sqlite.ts';
import type { Settings } from './config/schema.ts';

/** The catalog that the settings choose. */
export interface ChosenCatalog extends Catalog {
  /** The embedded catalog: all there is, or, beside Pulp's database, what alternate sources offer. */
  readonly embedded: SqliteCatalog;
  /** Pulp's database, where that is the catalog. */
  readonly database?: Connection;
  /** Emits whether the catalog can be asked: as soon as that is known, and whenever it changes. */
  readonly ready: Observable<boolean>;
  /** An entry of the path turned out wrong: what is known of it is asked for anew. */
  forget(path: string): void;
  close(): Promise<void>;
}

/** Opens it, without waiting for a database to be up. Rejects, with nothing left open, where a file or a setting cannot be used. */
export const openCatalog = async (settings: Settings): Promise<ChosenCatalog> => {
  const embedded = openSqliteCatalog(settings.catalog);
  const { lookup, access, offers } = embedded;
  if (settings.catalogType === 'sqlite')
    return { lookup, access, offers, embedded, ready: of(true), forget: () => {}, close: async () => embedded.close() };
  try {
    // The driver takes half a second and 30 MB, which nobody should pay who does not use it.
    const [{ connectMongo }, { openMongoCatalog }] = await Promise.all([
      import('./catalog/mongodb/connection.ts'),
      import('./catalog/mongodb.ts'),
    ]);
    const within = settings.mongodbTimeout * 1000;
    const database = connectMongo(
      {
        url: settings.mongodbUrl,
        name: settings.databaseName,
        seeds: settings.databaseSeeds,
        username: settings.databaseUsername,
        password: settings.databasePassword,
        replicaSet: settings.databaseReplicaSet,
        ssl: settings.databaseSsl,
        sslKeyfile: settings.databaseSslKeyfile,
        sslCertfile: settings.databaseSslCertfile,
        verifySsl: settings.databaseVerifySsl,
        caPath: settings.databaseCaPath,
      },
      within,
    );
    const catalog = openMongoCatalog(database, {
      storageDir: settings.storageDir,
      pluginConfigDir: settings.pluginConfigDir,
      maxTime: within,
      alsoOffered: (typeId, key) => embedded.content.find(typeId, key, Date.now() / 1000),
    });
    return {
      ...catalog,
      embedded,
      database,
      ready: database.ready,
      close: async () => {
        await database.close();
        embedded.close();
      },
    };
  } catch (error) {
    embedded.close();
    throw error;
  }
};
