import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { StreamError } from '../../pipelines/model/index.ts';
import { type ImportResult, importRepository, toBase } from '../../src/catalog/import.ts';
import type { CatalogStore } from '../../src/catalog/store.ts';
import type { Format, Repository, RepositoryItem, Selection, Signature } from '../../src/repositories/format.ts';
import { toUrlPath } from '../../src/repositories/relative-path.ts';
import { readFileUrl } from './read-file-url.ts';

export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** Imports a folder. */
export const importFolder = async (
  catalog: CatalogStore,
  format: Format,
  folder: string,
  prefix: string,
  selection: Selection = {},
): Promise<ImportResult> => {
  const { id } = await catalog.importers.ensure({});
  return importRepository({
    catalog,
    format,
    selection,
    base: toBase(folder),
    prefix,
    read: readFileUrl,
    importer: id,
  });
};

const collect = async (items: AsyncIterable<RepositoryItem>): Promise<RepositoryItem[]> => {
  const found: RepositoryItem[] = [];
  for await (const item of items) found.push(item);
  return found;
};

const readItems = async (format: Format, read: Repository['read'], selection: Selection, keyring?: string) => {
  const signatures: Signature[] = [];
  const missing: string[] = [];
  const leftOut: string[] = [];
  const bypassed: string[] = [];
  const repository: Repository = {
    base: 'https://test/repo/',
    read,
    missing: (path) => missing.push(path),
    leftOut: (problem) => leftOut.push(problem),
    bypassed: (what) => bypassed.push(what),
    ...(keyring !== undefined && { signatures: { keyring, verified: (one: Signature) => signatures.push(one) } }),
  };
  return { items: await collect(format(repository, selection)), missing, leftOut, bypassed, signatures };
};

/** The items that a format finds in a folder. */
export const readFolder = (format: Format, folder: string, selection: Selection = {}) =>
  readItems(format, (path) => readFileUrl(`${pathToFileURL(folder).href}/${toUrlPath(path)}`), selection);

/**
 * The items that a format finds in files given by path. Each file arrives in chunks of `pieceSize`
 * bytes.
 */
export const readFiles = (
  format: Format,
  files: Readonly<Record<string, string | Uint8Array>>,
  selection: Selection = {},
  { pieceSize = 1000, keyring }: { readonly pieceSize?: number; readonly keyring?: string } = {},
) =>
  readItems(
    format,
    async function* (path) {
      const content = files[path];
      if (content === undefined) throw new StreamError('SOURCE_MISSING', 'feed', `${path}: 404`);
      const bytes = Buffer.from(content);
      for (let from = 0; from < bytes.length; from += pieceSize) yield bytes.subarray(from, from + pieceSize);
    },
    selection,
    keyring,
  );
