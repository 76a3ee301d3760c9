import type { Command } from 'commander';
import { openListing } from '../app/listing.ts';
import { openOwnCatalog } from '../app/own-catalog.ts';
import { checkState } from '../app/state-folder.ts';
import { vacuumCatalog } from '../app/vacuum.ts';
import { accessOf } from '../catalog/access.ts';
import type { Settings } from '../config/schema.ts';
import { rootAt } from '../lib/plain-path.ts';
import type { CatalogContext } from './catalog-context.ts';
import { loadedFor, stateOf, withSettings } from './settings.ts';

/** The settings of a command. Throws what this user may not write to: SQLite also writes to read. */
const writableState = (command: Command): Settings => {
  const settings = stateOf(command);
  // Without copies: these commands make none.
  if (settings.catalogType === 'sqlite') checkState({ ...settings, dispatch: 'none' });
  return settings;
};

/** The commands for catalog and importers run with this process, its settings, and the network. */
export const cliContext: CatalogContext = {
  prepare: (command) => withSettings(command, ['stateDir', 'catalog']),
  openCatalog: (command) => {
    const settings = writableState(command);
    if (settings.catalogType === 'mongodb')
      process.stderr.write('warning: requests are looked up in MongoDB (catalog_type), not in this embedded catalog\n');
    return openOwnCatalog(settings);
  },
  vacuum: (command) => vacuumCatalog(writableState(command)),
  openListing: (command) => openListing(writableState(command)),
  openFeed: async (config, command, base) => {
    // Loaded only here: most commands open no connection.
    const { openRepositories } = await import('../app/metadata.ts');
    const { files, probe, ...feed } = openRepositories(loadedFor(command).settings);
    const access = accessOf(config);
    const root = rootAt(base);
    return {
      ...feed,
      read: files(access, root),
      probe: (url, size) => probe({ ...access, ...root }, url, size),
    };
  },
  stdout: process.stdout,
  stderr: process.stderr,
};
