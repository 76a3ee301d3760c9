import { pathToFileURL } from 'node:url';
import { withoutDots } from '../../pipelines/model/spelling.ts';
import { maskUrl } from '../lib/mask.ts';
import { parseUrl } from '../lib/url.ts';
import {
  type Format,
  METADATA,
  type ReadFile,
  type Repository,
  type RepositoryItem,
  type Selection,
  type Signature,
} from '../repositories/format.ts';
import type { Limits } from '../repositories/reader/guard.ts';
import { urlOf } from '../repositories/relative-path.ts';
import { joined } from '../repositories/signatures/joined.ts';
import { counted, NONE, type Tally } from '../repositories/tally.ts';
import type { Keeping } from './history.ts';
import { unitIdOf } from './locator.ts';
import { trimPrefix } from './prefix.ts';
import type { Grace, Published } from './publication.ts';
import type { CatalogStore } from './store.ts';
import type { NewEntry } from './stored-entry.ts';
import type { StoredRepository } from './stored-repository.ts';

/** The progress of an import. */
export interface Progress {
  /** The file being read, relative to the repository's base. */
  readonly file: string;
  /** Bytes of the file read so far; `size`: its total, if known. */
  readonly bytes: number;
  readonly size?: number;
  /** Packages and metadata files so far. */
  readonly items: number;
}

export interface ImportOptions {
  readonly catalog: CatalogStore;
  readonly format: Format;
  readonly selection?: Selection;
  /** The repository's URL, as returned by `toBase`. */
  readonly base: string;
  /** The repository's place in the catalog; begins with `/`. */
  readonly prefix: string;
  readonly read: ReadFile;
  /** The importer whose credentials apply to the entries. */
  readonly importer: string;
  /** Whether an odd entry ends the import. Default: it is left out. */
  readonly strict?: boolean;
  /** The file of the keys, one of which must have signed the repository. Absent: none need have. */
  readonly keyring?: string;
  /** For how long files of the last revision stay that are not in the new one. Default: not at all. */
  readonly grace?: Grace;
  /** What is kept of the revisions before. Default: only those with a label. */
  readonly keeping?: Keeping;
  /** What the process that reads it may take. Absent: as much as usual. */
  readonly limits?: Limits;
  readonly onProgress?: (progress: Progress) => void;
  /** Resolves to the reason why a file cannot be fetched. Asked for the first package, at the end. */
  readonly probe?: (url: string, size?: number) => Promise<string | undefined>;
  /** What to store of the repository, in the same moment: see `PublishOptions`. Default: nothing. */
  readonly repository?: (result: ImportResult, stored: StoredRepository | undefined) => StoredRepository;
}

export interface ImportResult {
  readonly revision: number;
  readonly packages: number;
  readonly metadata: number;
  /** Entries of earlier revisions that were removed. */
  readonly removed: number;
  /** Indices that the repository lists but does not have. */
  readonly missing: readonly string[];
  /** Odd entries of the metadata that the catalog does not have. */
  readonly leftOut: Tally;
  /** Why the first package cannot be fetched, if so. */
  readonly unreachable?: string;
  /** Entries that clients fetch past the streamer, because the metadata sends them elsewhere. */
  readonly bypassed: Tally;
  /** Who has signed the repository, if that was checked. */
  readonly signature?: Signature;
}

const BATCH = 200;

/**
 * Converts an operator's input (an http, https or file URL, or a folder) to a repository URL with a
 * slash at its end.
 */
export const toBase = (text: string): string => {
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text) ?? [];
  if (scheme !== undefined && !/^(https?|file)$/i.test(scheme))
    throw new Error(`'${maskUrl(text)}': ${scheme}: is not supported, expected http:, https:, file: or a folder`);
  if (scheme === undefined && /^(https?|file):/i.test(text))
    throw new Error(`'${maskUrl(text)}' is neither a URL nor a folder, expected two slashes after the colon`);
  if (scheme === undefined) return pathToFileURL(`${text}/`).href.replace(/\/+$/, '/');
  const url = parseUrl(text);
  if (!url) throw new Error(`'${text}' is not a URL`);
  if (url.username !== '' || url.password !== '') {
    throw new Error(`${url.host}: the URL must not contain credentials, expected --username and --password-file`);
  }
  if (url.search !== '' || url.hash !== '')
    throw new Error(
      `'${maskUrl(text)}': a repository URL must not contain ? or #; a token that each request needs is --query-token`,
    );
  return url.href.replace(/\/*$/, '/');
};

/** Checks a repository's place in the catalog. */
const toPrefix = (prefix: string): string => {
  if (!prefix.startsWith('/')) throw new Error(`prefix '${prefix}' does not begin with /`);
  return trimPrefix(prefix);
};

/**
 * Reads a repository and publishes one entry per package and metadata file below a prefix. The
 * entries form the importer's next revision there and replace the earlier ones. All or nothing: a
 * failed import leaves the catalog unchanged.
 */
export const importRepository = async (options: ImportOptions): Promise<ImportResult> => {
  const {
    catalog,
    format,
    selection = {},
    base,
    read,
    importer,
    strict = false,
    onProgress,
    repository: toRepository,
    grace,
    keeping,
    keyring,
    limits,
  } = options;
  const prefix = toPrefix(options.prefix);
  const missing: string[] = [];
  let [leftOut, bypassed] = [NONE, NONE];
  let signature: Signature | undefined;
  let items = 0;
  let metadata = 0;
  const leaveOut = (problem: string, count: number): void => {
    if (strict) throw new Error(problem);
    leftOut = counted(leftOut, problem, count);
  };
  const repository: Repository = {
    base,
    read: async function* (file, expected) {
      let bytes = 0;
      const size = expected?.size;
      for await (const chunk of read(urlOf(base, file), expected)) {
        bytes += chunk.byteLength;
        onProgress?.({ file, bytes, items, ...(size !== undefined && { size }) });
        yield chunk;
      }
    },
    missing: (path) => missing.push(path),
    leftOut: leaveOut,
    bypassed: (what, count) => {
      bypassed = counted(bypassed, what, count);
    },
    ...(limits && { limits }),
    ...(keyring !== undefined && {
      signatures: {
        keyring,
        verified: (one: Signature) => {
          signature = joined(signature, one);
        },
      },
    }),
  };
  const toEntry = ({ path, unitTypeId, unitKey, checksum, size }: RepositoryItem): NewEntry => ({
    // It may lead out of the prefix, but never above the root.
    path: withoutDots(`${prefix}/${path}`),
    importerId: importer,
    unitId: unitIdOf(unitTypeId, unitKey),
    unitTypeId,
    unitKey,
    url: urlOf(base, path),
    ...(checksum && { checksum }),
    ...(size !== undefined && { size }),
    // Set at publication.
    revision: 0,
    data: {},
  });
  const staging = await catalog.entries.stage();
  let outside = false;
  let first: RepositoryItem | undefined;
  let batch: NewEntry[] = [];
  try {
    for await (const item of format(repository, selection)) {
      items += 1;
      outside ||= item.path.startsWith('../');
      if (item.unitTypeId === METADATA) metadata += 1;
      else first ??= item;
      if (batch.push(toEntry(item)) < BATCH) continue;
      await staging.write(batch);
      batch = [];
    }
    await staging.write(batch);
    if (keyring !== undefined && !signature)
      throw new Error(
        `${base}: no suite was named yet, so no signature vouches for its files; expected --suite NAME, or a client that asks for dists/NAME/InRelease`,
      );
    const conflicts = await staging.conflicts();
    // The last one that is named stands for the rest.
    for (const [at, { path }] of conflicts.shown.entries())
      leaveOut(
        `${base}: lists ${path} twice, with different checksums`,
        at + 1 < conflicts.shown.length ? 1 : conflicts.count - at,
      );
    if (outside)
      for (const path of await staging.yieldOutside(importer, prefix))
        leaveOut(`${base}: lists a file outside of ${prefix}, and ${path} belongs to another import`, 1);
    const toResult = ({ revision, added, removed }: Published): ImportResult => ({
      ...{ revision, packages: added - metadata, metadata, removed, missing, leftOut, bypassed },
      ...(signature && { signature }),
    });
    const published = await staging.publishRevision(importer, prefix, {
      ...(grace && { grace }),
      ...(keeping && { keeping }),
      ...(toRepository && { repository: (done, stored) => toRepository(toResult(done), stored) }),
    });
    const result = toResult(published);
    const unreachable = first && (await options.probe?.(urlOf(base, first.path), first.size));
    return unreachable === undefined ? result : { ...result, unreachable };
  } finally {
    await staging.discard();
  }
};
