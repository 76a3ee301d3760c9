import type { Command } from 'commander';
import { type Alternates, openAlternates } from '../alternates/open.ts';
import { openCatalog } from '../app/catalog.ts';
import { healthFile } from '../app/state-folder.ts';
import { version } from '../app/version.ts';
import type { OfferSearch } from '../catalog/offer-search.ts';
import { parseDescriptor } from '../config/ini.ts';
import { readHealth, type UnhealthySource } from '../observe/health-file.ts';
import { createSources } from '../sources/open.ts';
import { withLimits } from '../sources/source-limits.ts';
import type { Output } from './catalog-context.ts';
import { stateOf, withSettings } from './settings.ts';

/** What the commands for alternate content sources need of their surroundings. */
export interface SourcesContext {
  /** Adds to each command the options that `open` reads. */
  prepare(command: Command): Command;
  open(command: Command): OpenAlternates | Promise<OpenAlternates>;
  readonly stdout: Output;
  readonly stderr: Output;
}

export interface OpenAlternates {
  readonly search: OfferSearch;
  readonly alternates: Alternates;
  /** What the daemon found of sources lately. */
  readonly unhealthy: readonly UnhealthySource[];
  close(): Promise<void>;
}

/** This process, its settings, and the network. */
export const sourcesContext: SourcesContext = {
  prepare: (command) => withSettings(command, ['stateDir', 'catalog', 'contentSourcesDir']),
  open: async (command) => {
    const settings = stateOf(command);
    const catalog = await openCatalog(settings);
    const sources = createSources({
      userAgent: `pulp-streamer/${version}`,
      maxRedirects: settings.maxRedirects,
      connectTimeout: settings.connectTimeout,
      idleTimeout: settings.idleTimeout,
      connections: settings.maxConnections,
    });
    const alternates = openAlternates({
      folder: settings.contentSourcesDir,
      parse: parseDescriptor,
      catalog,
      store: catalog.store,
      open: withLimits(sources.open, { timeoutMs: settings.headTimeout }),
      onMissing: ({ id }, url) => process.stderr.write(`warning: ${id}: ${url} is listed but not there\n`),
    });
    return {
      search: catalog.search,
      alternates,
      unhealthy: readHealth(healthFile(settings), Date.now()),
      close: async () => {
        alternates.close();
        await sources.close();
        await catalog.close();
      },
    };
  },
  stdout: process.stdout,
  stderr: process.stderr,
};
