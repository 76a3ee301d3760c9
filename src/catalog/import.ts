import { pathToFileURL } from 'node:url';
import { parseUrl } from '../lib/url.ts';
import {
  type Format,
  METADATA,
  type ReadFile,
  type Repository,
  type RepositoryItem,
  type Selection,
} from '../repositories/format.ts';
import { toUrlPath } from '../repositories/relative-path.ts';
import { unitIdOf } from './locator.ts';
import { trimPrefix } from './sqlite/prefix.ts';
import type { NewEntry } from './sqlite/rows.ts';
import type { Tables } from './sqlite/tables.ts';

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
  readonly catalog: Tables;
  readonly format: Format;
  readonly selection?: Selection;
  /** The repository's URL, as returned by `toBase`. */
  readonly base: string;
  /** The repository's place in the catalog; begins with `/`. */
  readonly prefix: string;
  readonly read: ReadFile;
  /** The importer whose credentials apply to the entries. */
  readonly importer: string;
  readonly onProgress?: (progress: Progress) => void;
}

export interface ImportResult {
  readonly revision: number;
  readonly packages: number;
  readonly metadata: number;
  /** Entries of earlier revisions that were removed. */
  readonly removed: number;
  /** Indices that the repository lists but does not have. */
  readonly missing: readonly string[];
}

const BATCH = 1000;

/**
 * Converts an operator's input (an http, https or file URL, or a folder) to a repository URL with a
 * slash at its end.
 */
export const toBase = (text: string): string => {
  if (!/^(https?|file):\/\//i.test(text)) return pathToFileURL(`${text}/`).href.replace(/\/+$/, '/');
  const url = parseUrl(text);
  if (!url) throw new Error(`'${text}' is not a URL`);
  if (url.username !== '' || url.password !== '') {
    throw new Error(
      `${url.host}: the URL must not contain credentials; create an importer with --username and --password`,
    );
  }
  if (url.search !== '' || url.hash !== '') throw new Error(`'${text}': a repository URL must not contain ? or #`);
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
  const { catalog, format, selection = {}, base, read, importer, onProgress } = options;
  const prefix = toPrefix(options.prefix);
  const missing: string[] = [];
  let items = 0;
  let metadata = 0;
  const repository: Repository = {
    base,
    read: async function* (file, expected) {
      let bytes = 0;
      const size = expected?.size;
      for await (const chunk of read([base + toUrlPath(file)], expected)) {
        bytes += chunk.byteLength;
        onProgress?.({ file, bytes, items, ...(size !== undefined && { size }) });
        yield chunk;
      }
    },
    missing: (path) => missing.push(path),
  };
  const toEntry = ({ path, unitTypeId, unitKey, checksum, size }: RepositoryItem): NewEntry => ({
    path: `${prefix}/${path}`,
    importerId: importer,
    unitId: unitIdOf(unitTypeId, unitKey),
    unitTypeId,
    unitKey,
    url: base + toUrlPath(path),
    ...(checksum && { checksum }),
    ...(size !== undefined && { size }),
    // Set at publication.
    revision: 0,
    data: {},
  });
  const staging = catalog.entries.stage();
  let batch: NewEntry[] = [];
  try {
    for await (const item of format(repository, selection)) {
      items += 1;
      if (item.unitTypeId === METADATA) metadata += 1;
      if (batch.push(toEntry(item)) < BATCH) continue;
      staging.write(batch);
      batch = [];
    }
    staging.write(batch);
    const [conflict] = staging.conflicts();
    if (conflict) throw new Error(`${base}: lists ${conflict.path} twice, with different checksums`);
    const { revision, added, removed } = staging.publishRevision(importer, prefix);
    return { revision, packages: added - metadata, metadata, removed, missing };
  } finally {
    staging.discard();
  }
};
