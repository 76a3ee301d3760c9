import type { DatabaseSettings } from '../catalog/mongodb/client.ts';
import type { SharedStore } from '../catalog/shared/open.ts';
import { openTables } from '../catalog/sqlite/tables.ts';
import type { CatalogStore } from '../catalog/store.ts';
import { ConfigError } from '../config/config-error.ts';
import type { Settings } from '../config/schema.ts';
import { messageOf } from '../lib/thrown.ts';

/**
 * Milliseconds that a change waits for those of other processes: they may be imports of millions of
 * packages, one after the other.
 */
export const PATIENCE = 600_000;
/** Milliseconds that a step of a command may take: no client waits for it. */
const STEP = 60_000;
/** Milliseconds that a change of the daemon waits. What it changes itself is little. */
const DAEMON_PATIENCE = 10_000;

const databaseOf = ({ sharedCatalogUrl }: Settings): DatabaseSettings => ({
  ...{ url: sharedCatalogUrl, urlSetting: 'shared_catalog_url', name: 'pulp_streamer', seeds: [] },
  ...{ username: '', password: '', replicaSet: '', ssl: false, sslKeyfile: '', sslCertfile: '' },
  ...{ verifySsl: true, caPath: '' },
});

/** Rejects with a ConfigError if the settings of the shared catalog cannot be used. Connects to nothing. */
export const checkShared = async (settings: Settings): Promise<void> => {
  if (settings.sharedCatalogUrl === '')
    throw new ConfigError(['shared_catalog_url: expected the URL of its database, because catalog_type is shared']);
  const { makeClient } = await import('../catalog/mongodb/client.ts');
  try {
    await makeClient(databaseOf(settings), settings.mongodbTimeout).client.close();
  } catch (error) {
    throw new ConfigError([messageOf(error)]);
  }
};

/**
 * Opens the shared catalog, without waiting for its database to be up. The driver is loaded only if
 * it is used.
 */
const openShared = async (settings: Settings, forDaemon: boolean) => {
  await checkShared(settings);
  const [{ connectMongo }, { openSharedStore }] = await Promise.all([
    import('../catalog/mongodb/connection.ts'),
    import('../catalog/shared/open.ts'),
  ]);
  const maxTime = forDaemon ? settings.mongodbTimeout : STEP;
  const connection = connectMongo(databaseOf(settings), maxTime);
  const patience = forDaemon ? DAEMON_PATIENCE : PATIENCE;
  return { connection, store: openSharedStore(connection, { maxTime, patience, watching: forDaemon }) };
};

/** The shared catalog as the daemon uses it. */
export const openSharedForDaemon = (settings: Settings) => openShared(settings, true);

/**
 * Opens the catalog of our own that the settings choose, to change it: the shared one, or the embedded
 * one.
 */
export const openOwnCatalog = async (settings: Settings): Promise<CatalogStore> => {
  if (settings.catalogType !== 'shared') return openTables(settings.catalog, { busyTimeout: PATIENCE });
  const { store }: { readonly store: SharedStore } = await openShared(settings, false);
  return store;
};
