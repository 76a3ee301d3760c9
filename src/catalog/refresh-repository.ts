import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { StreamError } from '../../pipelines/model/errors.ts';
import { messageOf } from '../lib/thrown.ts';
import { METADATA } from '../repositories/format.ts';
import { readKeyring } from '../repositories/signatures/keyring.ts';
import { NONE } from '../repositories/tally.ts';
import { type ImportOptions, type ImportResult, importRepository } from './import.ts';
import { type MetadataFiles, MOST_KEPT } from './metadata-files.ts';
import { asListed } from './mirror-list.ts';
import { recordRoots, unchanged } from './roots.ts';
import type { CatalogStore } from './store.ts';
import type { StoredEntry } from './stored-entry.ts';
import type { RepositoryKey, Roots, StoredRepository } from './stored-repository.ts';

export interface RefreshOptions extends Omit<ImportOptions, 'repository' | 'grace' | 'keeping'> {
  /** The name of the format. */
  readonly formatName: string;
  /** The URL of a metalink that states the versions of the repository. */
  readonly metalink?: string;
  /** Whether it is compared with its feed when clients ask for it. */
  readonly follows?: boolean;
  /** Where its metadata is kept. Absent: nowhere. */
  readonly kept?: MetadataFiles;
  /** Seconds for which files of the last revision stay that are not in the new one. Default: 0. */
  readonly grace?: number;
  /** Seconds for which revisions are kept that are superseded. Default: 0. */
  readonly keepRevisions?: number;
  /** Seconds after which the repository is to be imported again. Absent: only on request. */
  readonly every?: number;
  /** The stored repository that is refreshed: what came of it counts only if it is still wanted then. */
  readonly stored?: StoredRepository;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface RefreshResult extends ImportResult {
  /** Whether the repository is still the one that was imported the last time: no entry was written. */
  readonly unchanged: boolean;
  /** Bytes that were read of the feed, if they were counted. */
  readonly fetched?: number;
  /** Unix seconds: the date of the signed metadata before, if that was later than now. */
  readonly dateBefore?: number;
}

/** A refresh that found nothing to do. */
const NOTHING = { removed: 0, missing: [], leftOut: NONE, bypassed: NONE };

/** What decides about its entries, beside the feed. */
type Own = Pick<StoredRepository, 'format' | 'base' | 'selection' | 'strict' | 'keyring' | 'metalink'>;

/** What came of the last time. */
type Outcome = Pick<StoredRepository, 'packages' | 'metadata' | 'roots' | 'complete' | 'signature'>;

/**
 * Imports a repository, and remembers how to do it again. If everything that it consists of is as
 * it was the last time, its entries stay as they are. A failure is remembered, too, if there is an
 * earlier revision, which then stays.
 */
export const refreshRepository = async (options: RefreshOptions): Promise<RefreshResult> => {
  const { catalog, formatName: format, base, selection = {}, strict = false, importer, every, follows } = options;
  const { prefix, grace = 0, keepRevisions = 0, keyring: file, metalink, now = Date.now } = options;
  const listed = asListed(options.read, options);
  const { metadata } = catalog;
  const files = metadata ? options.kept?.sharedBy(metadata) : options.kept;
  const read = files?.keeping(listed) ?? listed;
  // Of an import that is not repeated, only what it reads anyway.
  const keepsAll = keepRevisions > 0 || ((await catalog.history?.labels(prefix)) ?? []).length > 0;
  const kept = follows || every !== undefined || keepsAll ? files : undefined;
  const seconds = () => now() / 1000;
  const key = { prefix, importerId: importer };
  try {
    const keyring = file === undefined ? undefined : await keyringOf(file);
    const own = ownOf({ format, base, selection, strict, keyring, metalink });
    const updated = (outcome: Outcome, now: StoredRepository | undefined): StoredRepository => {
      if (options.stored && !isStillWanted(now, options.stored))
        throw new Error(`${prefix}: its repository was changed or removed while it was read`);
      return {
        ...{ ...key, ...own, every, follows, ...outcome },
        ...{ succeeded: seconds(), attempted: seconds() },
      };
    };
    const known = await catalog.repositories.find(key);
    const same = known && (await sameRoots(known, own, { ...options, read }));
    if (same) {
      const { packages, metadata, complete, signature } = known;
      const outcome = { packages, metadata, roots: same, complete, signature };
      await catalog.repositories.save(updated(outcome, await catalog.repositories.find(key)));
      const revision = await catalog.entries.revisionBelow(prefix, importer);
      const first = await firstPackage(catalog, key);
      const unreachable = first && (await options.probe?.(first.url, first.size));
      return {
        ...{ ...NOTHING, revision, packages, metadata, unchanged: true },
        ...(signature && { signature }),
        ...(unreachable !== undefined && { unreachable }),
      };
    }
    const roots = recordRoots(read);
    const result = await importRepository({
      ...options,
      read: roots.read,
      grace: grace > 0 ? { now: seconds(), seconds: grace } : undefined,
      // The time at which it is published, which a long read is before.
      keeping: {
        get now() {
          return seconds();
        },
        seconds: keepRevisions,
      },
      repository: ({ packages, metadata, missing, leftOut, signature }, now) => {
        const found = roots.found();
        const isComplete = found !== undefined && missing.length === 0 && leftOut.count === 0;
        return updated({ packages, metadata, roots: found, complete: isComplete, signature }, now);
      },
    });
    if (kept) await keepRest(options, kept, keepsAll);
    const dateBefore = known?.signature?.date ?? 0;
    const isOlder = dateBefore > (result.signature?.date ?? Number.POSITIVE_INFINITY);
    return { ...result, unchanged: false, ...(isOlder && { dateBefore }) };
  } catch (error) {
    await catalog.repositories.failed(key, seconds(), messageOf(error));
    throw error;
  }
};

/** Whether an operator has not removed it since, or given it another meaning. */
const isStillWanted = (now: StoredRepository | undefined, stored: StoredRepository): boolean =>
  now !== undefined && isDeepStrictEqual(meaningOf(now), meaningOf(stored));

const meaningOf = ({ format, base, selection, strict, every, follows, keyring, metalink }: StoredRepository) => ({
  ...{ format, base, selection, strict, every, follows, keyring, metalink },
});

/**
 * Keeps the metadata that clients read and the import did not, since a feed may remove it while
 * clients still ask for it. Files by hash are left to the feed: there are several of each, and feeds
 * that have them keep those of earlier revisions. If revisions are kept, also what the feed replaces by
 * another file of its name: of the many files of a Debian suite, only those that apt takes unasked.
 */
const keepRest = async (
  { catalog, prefix, importer, read, formatName }: RefreshOptions,
  kept: MetadataFiles,
  keepsAll: boolean,
): Promise<void> => {
  const mayChange = (path: string): boolean =>
    keepsAll && (formatName === 'deb' ? TAKEN_BY_APT.test(path) : formatName !== 'files');
  const keeping = kept.keeping(read);
  let bytes = 0;
  for await (const { importerId, unitTypeId, checksum, size, url, path, data } of catalog.entries.list(prefix)) {
    if (importerId !== importer || unitTypeId !== METADATA || !checksum || 'gone_since' in data) continue;
    if (!(path.includes(checksum.value) || mayChange(path)) || path.includes('/by-hash/')) continue;
    if (await kept.has(checksum)) continue;
    // A feed may list any number of files.
    if (bytes + (size ?? 0) > MOST_KEPT) continue;
    try {
      for await (const chunk of keeping(url, { checksum, ...(size !== undefined && { size }) }))
        bytes += chunk.byteLength;
    } catch (error) {
      // The revision is published, and clients may get the file from the feed.
      if (!(error instanceof StreamError)) throw error;
    }
  }
  const needed = new Set(await catalog.entries.metadataChecksums());
  await kept.sweep(({ algorithm, value }) => needed.has(`${algorithm}-${value}`));
};

/** The descriptions of packages, in the compression that is the smallest. */
const TAKEN_BY_APT = /\/i18n\/Translation-en\.(?:xz|bz2)$/;

/** Names the right to refresh a repository, among the sources that have one. */
export const leaseOf = ({ prefix, importerId }: RepositoryKey): string => `import:${importerId}:${prefix}`;

const firstPackage = async (
  { entries }: CatalogStore,
  { prefix, importerId }: RepositoryKey,
): Promise<StoredEntry | undefined> => {
  for await (const entry of entries.list(prefix))
    if (entry.importerId === importerId && entry.unitTypeId !== METADATA) return entry;
  return undefined;
};

/** Through JSON, as it is stored: without what is undefined. */
const ownOf = ({ format, base, selection, strict, keyring, metalink }: Own): Own =>
  JSON.parse(JSON.stringify({ format, base, selection, strict, keyring, metalink }));

/** A keyring with the digest of its keys: other ones may not have signed what is there. */
export const keyringOf = async (file: string): Promise<StoredRepository['keyring']> => ({
  file,
  sha256: createHash('sha256')
    .update(await readKeyring(file))
    .digest('hex'),
});

/** The roots, if the last revision is that of the same repository, complete, and still the newest. */
const sameRoots = async (
  known: StoredRepository,
  own: Own,
  { catalog, prefix, importer, read, now }: RefreshOptions,
): Promise<Roots | undefined> => {
  if (!isDeepStrictEqual(ownOf(known), own)) return undefined;
  // Entries may have been removed or loaded since.
  if ((await catalog.entries.countOf(prefix, importer)) !== known.packages + known.metadata) return undefined;
  return unchanged(known, read, now);
};
