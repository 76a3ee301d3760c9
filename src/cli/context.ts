import { openListing } from '../app/listing.ts';
import { version } from '../app/version.ts';
import { accessOf } from '../catalog/access.ts';
import { openTables } from '../catalog/sqlite/tables.ts';
import type { CatalogContext } from './catalog-context.ts';
import { loadedFor, stateOf, withSettings } from './settings.ts';

/** Metadata of repositories is read one file at a time, while an operator waits. */
const FEED = { userAgent: `pulp-streamer/${version}`, maxRedirects: 10, connections: 2, idleTimeout: 1_000 };
const TIMEOUTS = { connectTimeout: 30_000, headTimeout: 60_000, readTimeout: 60_000 };

/**
 * Milliseconds that a change waits for those of other processes: they may be imports of millions of
 * packages, one after the other.
 */
const LOCKED = 600_000;

/** The commands for catalog and importers run with this process, its settings, and the network. */
export const cliContext: CatalogContext = {
  prepare: (command) => withSettings(command, ['stateDir', 'catalog']),
  openCatalog: (command) => {
    const settings = stateOf(command);
    if (settings.catalogType === 'mongodb')
      process.stderr.write('warning: requests are looked up in MongoDB (catalog_type), not in this embedded catalog\n');
    return openTables(settings.catalog, { busyTimeout: LOCKED });
  },
  openListing: (command) => openListing(stateOf(command)),
  readerFor: (config, command) => {
    const access = accessOf(config);
    const tlsLevels = new Map(Object.entries(loadedFor(command).settings.feedTlsLevels));
    // Loaded only here: most commands open no connection.
    const load = async () => {
      const [{ createFeed }, { urlReader }] = await Promise.all([
        import('../sources/feed/open.ts'),
        import('../alternates/read-url.ts'),
      ]);
      const feed = createFeed({ ...FEED, connectTimeout: TIMEOUTS.connectTimeout, tlsLevels });
      return urlReader(feed.open, access, TIMEOUTS);
    };
    let loading: ReturnType<typeof load> | undefined;
    return async function* (url) {
      loading ??= load();
      yield* (await loading)(url);
    };
  },
  stdout: process.stdout,
  stderr: process.stderr,
};
