import { toBase } from '../catalog/import.ts';
import type { Importer, Importers } from '../catalog/sqlite/importers.ts';
import { maskUrl } from '../lib/mask.ts';
import { parseUrl } from '../lib/url.ts';
import { placeOfDeb } from '../repositories/deb-place.ts';
import type { ReadFile, Selection } from '../repositories/format.ts';
import { apart } from '../repositories/reader/apart.ts';

/** The file that each type of repository begins with: its URL stands for the repository's. */
const ENTRY_POINTS: Readonly<Record<string, RegExp>> = {
  yum: /\/repodata(\/(repomd\.xml)?)?$/,
  deb: /\/(In)?Release$|\/Release\.gpg$|\/Packages(\.\w+)?$/,
  files: /\/PULP_MANIFEST$/,
};

/** The URL of a list of mirrors: it has a query, or the name of one. A repository's has neither. */
export const isList = (source: string): boolean => {
  const url = /^https?:\/\//i.test(source) ? parseUrl(source) : undefined;
  return (
    url !== undefined && (url.search !== '' || /(mirror-?list|metalink|\.meta4|mirrors\.txt)$/i.test(url.pathname))
  );
};

/** Where a repository is, and which part of it was named by its URL. */
export interface Place {
  readonly base: string;
  readonly suites?: readonly string[];
}

/** The repository that an operator means. */
export const placeOf = (format: string, source: string, suites: readonly string[] | undefined): Place => {
  const base = toBase(source.replace(ENTRY_POINTS[format] ?? /$^/, '/'));
  if (format !== 'deb' || suites) return { base, ...(suites && { suites }) };
  const { path, selection } = placeOfDeb(base);
  return { base: path, ...selection } satisfies Place & Selection;
};

/** Reads a list of mirrors, best first. */
export const readMirrors = async (read: ReadFile, list: string): Promise<readonly [string, ...string[]]> => {
  const bases: string[] = [];
  const repository = {
    base: maskUrl(list),
    read: () => read(list),
    missing: () => {},
    leftOut: () => {},
    bypassed: () => {},
  };
  for await (const { path } of apart('mirrors')(repository, {})) bases.push(path);
  const [best, ...others] = bases;
  if (best === undefined)
    throw new Error(
      `${maskUrl(list)}: lists no mirrors, expected a metalink, or a URL (http, https) a line; a token that each request needs is --query-token`,
    );
  return [best, ...others];
};

/** The importer with these settings that the list of mirrors was last imported with, if any. */
export const importerOfList = (importers: Importers, config: Importer['config'], list: string): Importer | undefined =>
  importers.list().find(({ config: { mirrors, ...others } }) => mirrors?.[list] && importers.isSame(others, config));
