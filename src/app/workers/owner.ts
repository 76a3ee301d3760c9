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
 * The same for a request target; absent for one that names no path. All spellings of a path have one
 * owner. `pathOf` finds the path of a target as the catalog has it.
 */
export const ownerOfTarget = (
  target: string,
  count: number,
  pathOf: (target: string) => string = pathOfTarget,
): number | undefined => {
  try {
    return ownerOf(inOneSpelling(pathOf(target)), count);
  } catch {
    // Whoever answers it says what is wrong with it.
    return undefined;
  }
};
