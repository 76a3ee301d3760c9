import { join } from 'node:path';
import { type Db, type Document, ObjectId } from 'mongodb';
import { z } from 'zod';
import { StreamError } from '../../../pipelines/model/index.ts';
import { readPlainFile } from '../../lib/read-plain-file.ts';
import { codeOf, messageOf } from '../../lib/thrown.ts';
import { BOUNDS } from '../../repositories/bounds.ts';
import { type ImporterConfig, parseImporterConfig } from '../importer-config.ts';
import { checkBounds, faultsOf } from './documents.ts';

export interface ImporterFolders {
  /** Pulp's folder, which contains the certificates of importers. */
  readonly storageDir: string;
  /** The folder with `{importer_type_id}.json`: defaults for all importers of a type. */
  readonly pluginConfigDir: string;
}

const schema = z.object({
  // Both are parts of the names of folders and files.
  repo_id: z.string().regex(/^[^/\0]+$/),
  importer_type_id: z.string().regex(/^[\w.-]+$/),
  config: z.record(z.string(), z.unknown()).nullish(),
});

const PEM_FILES = { ssl_ca_cert: 'ca.crt', ssl_client_cert: 'client.crt', ssl_client_key: 'client.key' } as const;

const broken = (id: string, what: string, cause?: unknown): StreamError =>
  new StreamError('SOURCE_BROKEN', 'catalog', `importer ${id}: ${what}`, { cause });

/** The fields of an importer that are read. */
export const PROJECTION = { repo_id: 1, importer_type_id: 1, config: 1 } as const;

/** An importer's document; `undefined` if there is none. */
export const findImporter = async (database: Db, id: string, maxTimeMS: number): Promise<Document | undefined> => {
  if (!/^[0-9a-f]{24}$/i.test(id)) return undefined;
  const importers = database.collection('repo_importers');
  return (await importers.findOne({ _id: new ObjectId(id) }, { projection: PROJECTION, maxTimeMS })) ?? undefined;
};

/**
 * Reads an importer's current configuration; its values take precedence over those of its type.
 * Rejects with SOURCE_BROKEN if it does not exist or is invalid. The error names the value and its
 * place.
 */
export const readImporter = async (
  database: Db,
  id: string,
  folders: ImporterFolders,
  maxTimeMS: number,
): Promise<ImporterConfig> => {
  const document = await findImporter(database, id, maxTimeMS);
  if (!document) throw new StreamError('SOURCE_BROKEN', 'catalog', `importer ${id} is not in the catalog`);
  return configOf(id, document, folders);
};

/** The same for a document that was read already. */
export const configOf = async (
  id: string,
  document: Document,
  { storageDir, pluginConfigDir }: ImporterFolders,
): Promise<ImporterConfig> => {
  try {
    checkBounds(document);
  } catch (error) {
    throw broken(id, messageOf(error), error);
  }
  const read = schema.safeParse(document);
  if (!read.success) throw broken(id, faultsOf(read.error));
  const { repo_id, importer_type_id, config } = read.data;

  const ofType = given(await readOverlay(id, join(pluginConfigDir, `${importer_type_id}.json`)));
  const own = { ...ofType, ...given(config ?? {}) };
  const folder = join(storageDir, 'importers', `${repo_id}-${importer_type_id}`, 'pki');
  const pems = await Promise.all(
    Object.entries(PEM_FILES).map(
      async ([key, file]) => [key, await readPem(id, own[key], join(folder, file))] as const,
    ),
  );
  return parseImporterConfig(id, { ...own, ...given(Object.fromEntries(pems)) });
};

const readOverlay = async (id: string, file: string): Promise<Record<string, unknown>> => {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(await readPlainFile(file, BOUNDS.text)));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return {};
    const what = codeOf(error) ? 'cannot be read' : 'is not a JSON object';
    throw broken(id, `${file} ${what}: ${messageOf(error)}`, error);
  }
};

/** Pulp stores the PEM text and the same as a file. It uses the file, even without the text. */
const readPem = async (id: string, value: unknown, file: string): Promise<unknown> => {
  if (value === undefined || (typeof value === 'string' && value.includes('-----BEGIN'))) return value;
  try {
    return await readPlainFile(file, BOUNDS.text);
  } catch (error) {
    // Then only the configured value is left. If it is invalid, the error comes when it is used.
    if (codeOf(error) === 'ENOENT') return value;
    throw broken(id, `${file} cannot be read: ${messageOf(error)}`, error);
  }
};

const NUMBERS = new Set(['proxy_port', 'max_downloads', 'max_speed', 'connect_timeout', 'read_timeout']);

/** Pulp's clients may store numbers and booleans as texts, and unset values as null or ''. */
const given = (config: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => value !== null && value !== undefined && value !== '')
      .map(([key, value]) => [key, typeof value === 'string' ? fromText(key, value) : value]),
  );

const fromText = (key: string, text: string): unknown => {
  if (NUMBERS.has(key) && /^\s*\d+(\.\d+)?\s*$/.test(text)) return Number(text);
  if (key === 'ssl_validation' && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return text;
};
