import { decodePath, mergeSlashes, normalPath } from '../../../pipelines/model/spelling.ts';
import { pathOfTarget } from '../../http/target.ts';

/**
 * The number of the worker that a path belongs to, of `count`. Always the same for a path, and about
 * as many paths for each (FNV-1a).
 */
export const ownerOf = (path: string, count: number): number => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < path.length; at += 1) hash = Math.imul(hash ^ path.charCodeAt(at), 0x01000193);
  return ((hash ^ (hash >>> 16)) >>> 0) % count;
};

/** A path in whatever spelling a client may use for it: all that a catalog may find the same entry by are alike. */
const inOneSpelling = (path: string): string =>
  /[%;]|\/[./]/.test(path) ? mergeSlashes(decodePath(normalPath(path))).replace(/;[^/]*$/, '') : path;

/**
 * What a path stands for, as far as it shows that: a folder is served by its index file, `/p@VIEW/x`
 * mostly has the content of `/p/x`. Paths that happen to look alike have one owner, which does no harm.
 */
const subjectOf = (path: string, indexNames: readonly string[]): string => {
  const present = path.includes('@') ? path.replace(/@[^/@]*(?=\/)/g, '').replace(/^\/\//, '/') : path;
  const end = present.lastIndexOf('/') + 1;
  return indexNames.includes(present.slice(end)) ? present.slice(0, end) : present;
};

/** The same for all paths by which a client may ask for the file at this one. */
export const ownerOfFile = (path: string, count: number, indexNames: readonly string[]): number =>
  ownerOf(subjectOf(inOneSpelling(path), indexNames), count);

interface Naming {
  /** The path of a target as the catalog has it. */
  readonly pathOf: (target: string) => string;
  readonly indexNames: readonly string[];
}

/** The same for a request target; absent for one that names no path. */
export const ownerOfTarget = (
  target: string,
  count: number,
  { pathOf = pathOfTarget, indexNames = [] }: Partial<Naming> = {},
): number | undefined => {
  try {
    return ownerOfFile(pathOf(target), count, indexNames);
  } catch {
    // Whoever answers it says what is wrong with it.
    return undefined;
  }
};
