import type { Command } from 'commander';
import type { Alternates } from '../alternates/open.ts';
import { openCatalog } from '../app/catalog.ts';
import { openSources } from '../app/sources.ts';
import { healthFile } from '../app/state-folder.ts';
import type { OfferSearch } from '../catalog/offer-search.ts';
import { maskUrl } from '../lib/mask.ts';
import { readHealth, type UnhealthySource } from '../observe/health-file.ts';
import type { Output } from './catalog-context.ts';
import { oneLine } from './one-line.ts';
import { stateOf, withSettings } from './settings.ts';

/** Dependencies of the commands for alternate content sources. */
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
  /** The sources that the daemon tries last. */
  readonly unhealthy: readonly UnhealthySource[];
  close(): Promise<void>;
}

/**
 * The commands for alternate content sources run with this process, its settings, and the network.
 */
export const sourcesContext: SourcesContext = {
  prepare: (command) => withSettings(command, ['stateDir', 'catalog', 'contentSourcesDir']),
  open: async (command) => {
    const settings = stateOf(command);
    await using opening = new AsyncDisposableStack();
    const catalog = opening.adopt(await openCatalog(settings), ({ close }) => close());
    const warn = (text: string) => process.stderr.write(`warning: ${oneLine(text)}\n`);
    const sources = openSources(settings, catalog, {
      expiring: ({ source, what, subject, notAfter }) =>
        warn(`${source}: the ${what} ${subject} expires ${new Date(notAfter).toISOString()}`),
      missing: (source, url) => warn(`${source}: ${maskUrl(url)} is listed but missing`),
      leftOut: (source, problem, count) => warn(`${source}: left out ${count} of the metadata: ${problem}`),
    });
    opening.defer(() => sources.close());
    const opened = opening.move();
    return {
      search: catalog.search,
      alternates: sources.alternates,
      unhealthy: readHealth(healthFile(settings), Date.now()),
      close: () => opened.disposeAsync(),
    };
  },
  stdout: process.stdout,
  stderr: process.stderr,
};
