import { resolve } from 'node:path';
import type { ImporterConfig } from '../catalog/importer-config.ts';
import type { Importer } from '../catalog/sqlite/importers.ts';
import type { Tables } from '../catalog/sqlite/tables.ts';
import type { CatalogContext } from './catalog-context.ts';
import { importerOfList, type MirrorsOf } from './import-source.ts';
import { type ImporterOptions, toImporterConfig } from './importer-options.ts';

/** The options of the commands that import or follow a repository, as commander hands them over. */
export interface RepositoryOptions extends ImporterOptions {
  readonly prefix: string;
  readonly importer?: string;
  readonly suite?: string[];
  readonly component?: string[];
  readonly arch?: string[];
  readonly list?: string[];
  readonly keyring?: string;
  readonly json?: boolean;
}

interface Chosen {
  readonly importer: Pick<Importer, 'id' | 'config'>;
  /** Takes the importer back, or its changes, after a failed import. */
  readonly undo: () => void;
}

/** The importer that the entries will refer to. Mirrors become part of its settings. */
export const chooseImporter = (
  { importers }: Tables,
  given: ImporterConfig,
  id: string | undefined,
  mirrors: MirrorsOf | undefined,
): Chosen => {
  const known = id === undefined && !mirrors ? importers.find(given) : undefined;
  const named = id === undefined ? undefined : importers.get(id);
  const before = known ?? named ?? (mirrors && importerOfList(importers, given, mirrors.list));
  const settings = before?.config ?? given;
  const config = mirrors ? { ...settings, mirrors: { ...settings.mirrors, [mirrors.list]: mirrors.bases } } : settings;
  if (!before) {
    const made = importers.add({ config });
    return { importer: made, undo: () => void importers.remove(made.id) };
  }
  if (!mirrors) return { importer: before, undo: () => {} };
  importers.change(before.id, config);
  return { importer: { id: before.id, config }, undo: () => importers.change(before.id, before.config) };
};

/** The settings of the importer that is to be used, before its mirrors are known. */
export const configFor = ({ importers }: Tables, options: RepositoryOptions): ImporterConfig => {
  const config = toImporterConfig(options);
  if (options.importer === undefined) return config;
  if (Object.keys(config).length > 0)
    throw new Error('--importer has its own credentials: give either --importer or credentials');
  const importer = importers.get(options.importer);
  if (!importer) throw new Error(`importer ${options.importer} is not in the catalog`);
  return importer.config;
};

/** The file as the daemon finds it, whose working directory is another one. */
export const keyringFileOf = (format: string, { keyring, list }: RepositoryOptions): string | undefined => {
  if (keyring === undefined) return undefined;
  if (format !== 'yum' && format !== 'deb')
    throw new Error(`--keyring: a repository of type ${format} has no signature, expected yum or deb`);
  if (list) throw new Error('--keyring with --list: no signature covers the files of other lists');
  return resolve(keyring);
};

/** Warns of entries of other importers below a prefix: an import replaces only its own. */
export const warnOfOthers = (
  { stderr }: CatalogContext,
  { entries }: Tables,
  prefix: string,
  importer: string,
): void => {
  for (const id of entries.importersBelow(prefix))
    if (id !== importer) stderr.write(`warning: below ${prefix} are also entries of importer ${id}\n`);
};
