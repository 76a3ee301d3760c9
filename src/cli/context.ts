import { urlReader } from '../alternates/read-url.ts';
import { version } from '../app/version.ts';
import { accessOf } from '../catalog/access.ts';
import { openSqliteCatalog } from '../catalog/sqlite.ts';
import { createFeed } from '../sources/feed/open.ts';
import type { CatalogContext } from './catalog-context.ts';
import { stateOf, withSettings } from './settings.ts';

/** Metadata of repositories is read one file at a time, and by people who wait for it. */
const FEED = { userAgent: `pulp-streamer/${version}`, maxRedirects: 10, connections: 2, idleTimeout: 1_000 };
const PATIENCE = { connectTimeout: 30_000, headTimeout: 60_000, readTimeout: 60_000 };

/** The surroundings of the commands for catalog and importers: this process, its settings, and the network. */
export const cliContext: CatalogContext = {
  prepare: (command) => withSettings(command, ['stateDir', 'catalog']),
  openCatalog: (command) => {
    const settings = stateOf(command);
    if (settings.catalogType === 'mongodb')
      process.stderr.write('warning: requests are looked up in MongoDB (catalog_type), not in this embedded catalog\n');
    return openSqliteCatalog(settings.catalog);
  },
  readerFor: (config) => {
    const access = accessOf(config);
    const feed = createFeed({ ...FEED, connectTimeout: PATIENCE.connectTimeout });
    return urlReader(feed.open, access, PATIENCE);
  },
  stdout: process.stdout,
  stderr: process.stderr,
};
