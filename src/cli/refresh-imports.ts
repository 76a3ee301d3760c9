import type { Command } from 'commander';
import { EMPTY, from, lastValueFrom, mergeMap } from 'rxjs';
import { refreshOnce } from '../../pipelines/index.ts';
import { catalogLease } from '../catalog/lease.ts';
import { leaseOf, type RefreshResult } from '../catalog/refresh-repository.ts';
import { refreshStored } from '../catalog/refresh-stored.ts';
import type { CatalogStore } from '../catalog/store.ts';
import type { StoredRepository } from '../catalog/stored-repository.ts';
import { isCarried } from '../lib/carried.ts';
import { maskUrl } from '../lib/mask.ts';
import { messageOf } from '../lib/thrown.ts';
import { type CatalogContext, toJsonArray, writeAll } from './catalog-context.ts';
import { describeImport, warningsOf } from './catalog-import.ts';
import { importProgress } from './import-progress.ts';
import { oneLine } from './one-line.ts';

/** What came of one repository. */
type Outcome = { readonly prefix: string } & (RefreshResult | { readonly error: string });

/** Refreshes one repository, unless another process does. */
const refresh = async (
  context: CatalogContext,
  catalog: CatalogStore,
  command: Command,
  repository: StoredRepository,
): Promise<RefreshResult> => {
  const importer = await catalog.importers.get(repository.importerId);
  if (!importer) throw new Error(`importer ${repository.importerId} is not in the catalog`);
  const progress = importProgress(context.stderr);
  const feed = await context.openFeed(importer.config, command, repository.base);
  let result: RefreshResult | undefined;
  const work = async () => {
    const { read, kept, grace, keepRevisions, limits } = feed;
    // As it is now: another process may have had the lease, and added a suite.
    const stored = (await catalog.repositories.find(repository)) ?? repository;
    result = await refreshStored(catalog, stored, {
      ...{ read, kept, grace, keepRevisions, limits },
      onProgress: progress.show,
    });
  };
  try {
    await lastValueFrom(
      refreshOnce(
        { id: leaseOf(repository) },
        { lease: catalogLease(catalog.leases), refresh: () => from(work()).pipe(mergeMap(() => EMPTY)) },
      ),
    );
  } finally {
    progress.clear();
    await feed.close();
  }
  if (!result) throw new Error('another process is refreshing it');
  return result;
};

/** The files of a raw one are asked for one by one; of one that a bundle has brought there is no feed. */
const canBeRead = ({ format, base }: StoredRepository): boolean => format !== 'raw' && !isCarried(base);

const choose = (all: readonly StoredRepository[], prefix: string | undefined): readonly StoredRepository[] => {
  if (prefix === undefined) return all.filter(canBeRead);
  const there = all.filter((one) => one.prefix === prefix.replace(/\/+$/, ''));
  const chosen = there.filter(canBeRead);
  if (chosen.length > 0) return chosen;
  if (there.some(({ base }) => isCarried(base)))
    throw new Error(
      `${prefix} came in a bundle, and has no feed; expected \`pulp-streamer import-bundle\` of a newer one`,
    );
  if (there.length > 0) throw new Error(`${prefix} is of type raw: it has no metadata that could be read`);
  const known = [...new Set(all.filter(canBeRead).map((one) => one.prefix || '/'))].join(', ');
  throw new Error(`no repository at ${prefix}, expected ${known ? `one of ${known}` : 'an imported or followed one'}`);
};

/** Refreshes all repositories, or those of a prefix. Rejects if one could not be refreshed. */
export const refreshImports = async (
  context: CatalogContext,
  catalog: CatalogStore,
  command: Command,
  { prefix, json = false }: { readonly prefix?: string; readonly json?: boolean },
): Promise<void> => {
  const { stdout, stderr } = context;
  const outcomes: Outcome[] = [];
  const chosen = choose(await catalog.repositories.list(), prefix);
  for (const repository of chosen) {
    const name = repository.prefix || '/';
    try {
      const result = await refresh(context, catalog, command, repository);
      outcomes.push({ prefix: name, ...result });
      for (const warning of warningsOf(result, repository.base)) stderr.write(`warning: ${oneLine(warning)}\n`);
      if (!json) stdout.write(describeImport(result, name));
    } catch (error) {
      const problem = maskUrl(messageOf(error));
      outcomes.push({ prefix: name, error: problem });
      stderr.write(`error: ${oneLine(`${name}: ${problem}`)}\n`);
    }
  }
  if (json) await writeAll(stdout, toJsonArray(outcomes));
  const failed = outcomes.filter((one) => 'error' in one).length;
  if (failed > 0) throw new Error(`${failed} of ${chosen.length} repositories could not be refreshed`);
};
