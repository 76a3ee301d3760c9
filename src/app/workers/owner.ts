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

/** The same for a request target; absent for one that names no path. */
export const ownerOfTarget = (target: string, count: number): number | undefined => {
  try {
    return ownerOf(pathOfTarget(target), count);
  } catch {
    // Whoever answers it says what is wrong with it.
    return undefined;
  }
};
