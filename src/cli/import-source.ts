import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toBase } from '../catalog/import.ts';
import type { MirrorList } from '../catalog/mirror-list.ts';
import { type CatalogStore, type Importer, isSameConfig } from '../catalog/store.ts';
import { parseUrl } from '../lib/url.ts';
import { placeOfDeb } from '../repositories/deb-place.ts';
import type { Selection } from '../repositories/format.ts';

/** The file that each type of repository begins with: its URL stands for the repository's. */
const ENTRY_POINTS: Readonly<Record<string, RegExp>> = {
  yum: /\/repodata(\/(repomd\.xml)?)?$/,
  deb: /\/(In)?Release$|\/Release\.gpg$|\/Packages(\.\w+)?$/,
  files: /\/PULP_MANIFEST$/,
};

/** The URL of a list of mirrors: it has a query, or the name of one. A repository's has neither. */
const isList = (source: string): boolean => {
  const url = /^https?:\/\//i.test(source) ? parseUrl(source) : undefined;
  return (
    url !== undefined && (url.search !== '' || /(mirror-?list|metalink|\.meta4|mirrors\.txt)$/i.test(url.pathname))
  );
};

/** Where a repository is, and which part of it was named by its URL. */
interface Place {
  readonly base: string;
  readonly suites?: readonly string[];
}

interface DebOptions {
  readonly suite?: readonly string[];
  readonly component?: readonly string[];
  readonly arch?: readonly string[];
}

/** Throws if an option has no effect on a type of repository. */
export const refuseForeign = (format: string, { suite, component, arch }: DebOptions): void => {
  const [foreign] = Object.entries({ suite, component, arch }).filter(([, value]) => value !== undefined);
  if (foreign && format !== 'deb')
    throw new Error(`--${foreign[0]}: a repository of type ${format} is read as a whole, expected deb`);
};

/** The repository that an operator means. */
const placeOf = (format: string, source: string, suites: readonly string[] | undefined): Place => {
  const base = toBase(source.replace(ENTRY_POINTS[format] ?? /$^/, '/'));
  if (format !== 'deb' || suites) return { base, ...(suites && { suites }) };
  const { path, selection } = placeOfDeb(base);
  return { base: path, ...selection } satisfies Place & Selection;
};

/** A list of mirrors, and the repository at each. */
export interface MirrorsOf {
  readonly list: string;
  readonly bases: readonly string[];
}

/** Throws if a repository on this machine has no folder: of an address without its scheme, nothing else would show. */
export const refuseMissing = (format: string, base: string): void => {
  if (!base.startsWith('file:') || statSync(fileURLToPath(base), { throwIfNoEntry: false })?.isDirectory()) return;
  throw new Error(`${base}: no such folder; expected the URL or folder of a repository of type ${format}`);
};

/** The repository that an operator means, and its mirrors if it was named by a list of them. */
export const resolveSource = async (
  format: string,
  source: string,
  suites: readonly string[] | undefined,
  readList: () => Promise<MirrorList>,
): Promise<Place & { readonly mirrors?: MirrorsOf; readonly metalink?: string }> => {
  if (!isList(source)) return placeOf(format, source, suites);
  const { bases, versions } = await readList();
  const [best] = bases;
  return {
    ...placeOf(format, best, suites),
    mirrors: { list: source, bases: bases.map((one) => placeOf(format, one, suites).base) },
    ...(versions.length > 0 && { metalink: source }),
  };
};

/** The importer with these settings that the list of mirrors was last imported with, if any. */
export const importerOfList = async (
  importers: CatalogStore['importers'],
  config: Importer['config'],
  list: string,
): Promise<Importer | undefined> =>
  (await importers.list()).find(
    ({ config: { mirrors, ...others } }) => mirrors?.[list] && isSameConfig(others, config),
  );
