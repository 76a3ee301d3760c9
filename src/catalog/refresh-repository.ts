import { isDeepStrictEqual } from 'node:util';
import { StreamError } from '../../pipelines/model/errors.ts';
import { messageOf } from '../lib/thrown.ts';
import { METADATA } from '../repositories/format.ts';
import { apart } from '../repositories/reader/apart.ts';
import { NONE } from '../repositories/tally.ts';
import { type ImportOptions, type ImportResult, importRepository } from './import.ts';
import type { MetadataFiles } from './metadata-files.ts';
import { areUnchanged, recordRoots } from './roots.ts';
import type { RepositoryKey, StoredRepository } from './sqlite/repositories.ts';
import type { StoredEntry } from './sqlite/rows.ts';
import type { Tables } from './sqlite/tables.ts';

export interface RefreshOptions extends Omit<ImportOptions, 'published' | 'grace'> {
  /** The name of the format. */
  readonly formatName: string;
  /** Whether it is compared with its feed when clients ask for it. */
  readonly follows?: boolean;
  /** Where its metadata is kept. Absent: nowhere. */
  readonly kept?: MetadataFiles;
  /** Seconds for which files of the last revision stay that are not in the new one. Default: 0. */
  readonly grace?: number;
  /** Seconds after which the repository is to be imported again. Absent: only on request. */
  readonly every?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface RefreshResult extends ImportResult {
  /** Whether the repository is still the one that was imported the last time: no entry was written. */
  readonly unchanged: boolean;
}

/** A refresh that found nothing to do. */
const NOTHING = { removed: 0, missing: [], leftOut: NONE, bypassed: NONE };

/** What decides about its entries, beside the feed. */
type Own = Pick<StoredRepository, 'format' | 'base' | 'selection' | 'strict'>;

/**
 * Imports a repository, and remembers how to do it again. If everything that it consists of is as
 * it was the last time, its entries stay as they are. A failure is remembered, too, if there is an
 * earlier revision, which then stays.
 */
export const refreshRepository = async (options: RefreshOptions): Promise<RefreshResult> => {
  const { catalog, formatName: format, base, selection = {}, strict = false, importer, every, follows } = options;
  const { prefix, grace = 0, now = Date.now } = options;
  const read = options.kept?.keeping(options.read) ?? options.read;
  // Of an import that is not repeated, only what it reads anyway.
  const kept = follows || every !== undefined ? options.kept : undefined;
  const seconds = () => now() / 1000;
  const key = { prefix, importerId: importer };
  // Through JSON, as it is stored: without what is undefined.
  const own: Own = JSON.parse(JSON.stringify({ format, base, selection, strict }));
  const save = (repository: Pick<StoredRepository, 'packages' | 'metadata' | 'roots' | 'complete'>) =>
    catalog.repositories.save({
      ...{ ...key, ...own, every, follows, ...repository },
      ...{ succeeded: seconds(), attempted: seconds() },
    });
  try {
    const known = catalog.repositories.find(key);
    if (known && (await isSame(known, own, { ...options, read }))) {
      const { packages, metadata, roots, complete } = known;
      save({ packages, metadata, roots, complete });
      const revision = catalog.entries.revisionBelow(prefix, importer);
      const first = firstPackage(catalog, key);
      const unreachable = first && (await options.probe?.(first.url, first.size));
      return {
        ...{ ...NOTHING, revision, packages, metadata, unchanged: true },
        ...(unreachable !== undefined && { unreachable }),
      };
    }
    const roots = recordRoots(read);
    const result = await importRepository({
      ...options,
      read: roots.read,
      grace: grace > 0 ? { now: seconds(), seconds: grace } : undefined,
      published: ({ packages, metadata, missing, leftOut }) => {
        // What is listed but missing may come later, though nothing else changes.
        const found = missing.length === 0 ? roots.found() : undefined;
        save({ packages, metadata, roots: found, complete: found !== undefined && leftOut.count === 0 });
      },
    });
    if (kept) await keepRest(options, kept);
    return { ...result, unchanged: false };
  } catch (error) {
    catalog.repositories.failed(key, seconds(), messageOf(error));
    throw error;
  }
};

/** Refreshes a repository that was imported before, in the same way. */
export const refreshStored = (
  catalog: Tables,
  { prefix, importerId, format, base, selection, strict, every, follows }: StoredRepository,
  how: Pick<RefreshOptions, 'read' | 'kept' | 'grace' | 'onProgress'>,
): Promise<RefreshResult> =>
  refreshRepository({
    ...{ catalog, format: apart(format), formatName: format, selection, strict, base, prefix: prefix || '/' },
    ...{ importer: importerId, every, follows, ...how },
  });

/**
 * Keeps the metadata that clients read and the import did not, since a feed may remove it while
 * clients still ask for it. Files by hash are left to the feed: there are several of each, and feeds
 * that have them keep those of earlier revisions.
 */
const keepRest = async ({ catalog, prefix, importer, read }: RefreshOptions, kept: MetadataFiles): Promise<void> => {
  for (const { importerId, unitTypeId, checksum, size, url, path, data } of catalog.entries.list(prefix)) {
    if (importerId !== importer || unitTypeId !== METADATA || !checksum || 'gone_since' in data) continue;
    if (!path.includes(checksum.value) || path.includes('/by-hash/') || kept.has(checksum)) continue;
    try {
      for await (const _ of kept.keeping(read)(url, { checksum, ...(size !== undefined && { size }) }));
    } catch (error) {
      // The revision is published, and clients may get the file from the feed.
      if (!(error instanceof StreamError)) throw error;
    }
  }
  const needed = new Set(catalog.entries.metadataChecksums());
  await kept.sweep(({ algorithm, value }) => needed.has(`${algorithm}-${value}`));
};

/** Names the right to refresh a repository, among the sources that have one. */
export const leaseOf = ({ prefix, importerId }: RepositoryKey): string => `import:${importerId}:${prefix}`;

const firstPackage = ({ entries }: Tables, { prefix, importerId }: RepositoryKey): StoredEntry | undefined => {
  for (const entry of entries.list(prefix))
    if (entry.importerId === importerId && entry.unitTypeId !== METADATA) return entry;
  return undefined;
};

/** Whether the last revision is that of the same repository, complete, and still the newest. */
const isSame = async (
  known: StoredRepository,
  own: Own,
  { catalog, prefix, importer, read }: RefreshOptions,
): Promise<boolean> => {
  const { format, base, selection, strict, roots, packages, metadata } = known;
  if (!roots || !isDeepStrictEqual({ format, base, selection, strict }, own)) return false;
  // Entries may have been removed or loaded since.
  if (catalog.entries.countOf(prefix, importer) !== packages + metadata) return false;
  return areUnchanged(roots, read);
};
