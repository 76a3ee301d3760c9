import { resolve } from 'node:path';
import type { ImporterConfig } from '../catalog/importer-config.ts';
import type { CatalogStore, Importer } from '../catalog/store.ts';
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
  readonly undo: () => Promise<unknown>;
}

/** The importer that the entries will refer to. Mirrors become part of its settings. */
export const chooseImporter = async (
  { importers }: CatalogStore,
  given: ImporterConfig,
  id: string | undefined,
  mirrors: MirrorsOf | undefined,
): Promise<Chosen> => {
  const known = id === undefined && !mirrors ? await importers.find(given) : undefined;
  const named = id === undefined ? undefined : await importers.get(id);
  const before = known ?? named ?? (mirrors && (await importerOfList(importers, given, mirrors.list)));
  const settings = before?.config ?? given;
  const config = mirrors ? { ...settings, mirrors: { ...settings.mirrors, [mirrors.list]: mirrors.bases } } : settings;
  if (!before) {
    const made = await importers.add({ config });
    // Two that begin at once would otherwise have one each, and mix their entries.
    const first = id === undefined && !mirrors ? await importers.find(config) : made;
    if (first && first.id !== made.id) {
      await importers.remove(made.id);
      return { importer: first, undo: async () => {} };
    }
    return { importer: made, undo: async () => importers.remove(made.id) };
  }
  if (!mirrors) return { importer: before, undo: async () => {} };
  await importers.change(before.id, config);
  return { importer: { id: before.id, config }, undo: async () => importers.change(before.id, before.config) };
};

/** The settings of the importer that is to be used, before its mirrors are known. */
export const configFor = async ({ importers }: CatalogStore, options: RepositoryOptions): Promise<ImporterConfig> => {
  const config = toImporterConfig(options);
  if (options.importer === undefined) return config;
  if (Object.keys(config).length > 0)
    throw new Error('--importer has its own credentials: give either --importer or credentials');
  const importer = await importers.get(options.importer);
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
export const warnOfOthers = async (
  { stderr }: CatalogContext,
  { entries }: CatalogStore,
  prefix: string,
  importer: string,
): Promise<void> => {
  for (const id of await entries.importersBelow(prefix))
    if (id !== importer) stderr.write(`warning: below ${prefix} are also entries of importer ${id}\n`);
};
