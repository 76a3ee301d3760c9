import { placeOfDeb } from './deb-place.ts';
import type { Selection } from './format.ts';

/** The usual names of files that a repository begins with, and of their signatures. */
const NAMES =
  /^repodata\/repomd\.xml(\.(asc|key))?$|(^|\/)((In)?Release(\.gpg)?|\.?treeinfo|PULP_MANIFEST)$|(^|\/)(Packages|Sources)(\.\w+)?$/;

/** Whether a path, relative to its repository, is that of such a file. */
export const isEntryPoint = (path: string): boolean => NAMES.test(path);

/** The first files of a suite; a flat one may do without Release. */
const RELEASES = ['InRelease', 'Release'];
const BARE = ['Packages.gz', 'Packages.xz', 'Packages'];

interface Followed {
  readonly format: string;
  readonly selection: Selection;
}

/** Servers take doubled slashes for one: each spelling would be a suite of its own. */
const DOUBLED = /^\/|\/\//;

/** A folder of one architecture within a suite. Its Release file lists nothing. */
const PART = /\/(binary-[^/]+|source)$/;

/**
 * The suite that a path begins, if it belongs to a Debian repository that does not have it yet: a
 * name below `dists/`, or the folder of a flat repository, with a slash at its end. Parts of a suite
 * may have Release files of their own.
 */
export const suiteOf = ({ format, selection: { suites = [] } }: Followed, path: string): string | undefined => {
  if (format !== 'deb' || DOUBLED.test(path)) return undefined;
  const [, folder, file = ''] = /^((?:.*\/)?)(?:(?:In)?Release|Release\.gpg|(Packages)(?:\.\w+)?)$/.exec(path) ?? [];
  if (folder === undefined) return undefined;
  const [suite] = placeOfDeb(folder).selection?.suites ?? [];
  if (suite === undefined) return suites.includes(folder || './') ? undefined : folder || './';
  const isKnown =
    file !== '' || PART.test(suite) || suites.some((known) => suite === known || suite.startsWith(`${known}/`));
  return isKnown ? undefined : suite;
};

/** The files of which a suite has at least one. */
export const probesOf = (suite: string): readonly string[] => {
  const folder = suite.endsWith('/') ? suite.replace(/^\.\//, '') : `dists/${suite}/`;
  return (suite.endsWith('/') ? [...RELEASES, ...BARE] : RELEASES).map((name) => `${folder}${name}`);
};
