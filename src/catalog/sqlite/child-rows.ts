import type { Child } from '../../../pipelines/model/index.ts';
import { childOf, hasName, isSame, rangeAfter } from '../children.ts';
import type { StoredEntry } from '../stored-entry.ts';

/**
 * What is directly below a folder, at most `limit` after one. `below` reads the entries of a range of
 * paths, in their order.
 */
export const childrenAmong = (
  below: (from: string, before: string) => Iterable<StoredEntry>,
  folder: string,
  after: Child | undefined,
  limit: number,
): Child[] => {
  const found: Child[] = [];
  let last = after;
  // A folder's own paths are skipped by a new search.
  for (let more = true; more && found.length < limit; ) {
    more = false;
    for (const entry of below(...rangeAfter(folder, last))) {
      if ('gone_since' in entry.data) continue;
      const child = childOf(folder, entry);
      if (isSame(child, last)) continue;
      last = child;
      if (hasName(child)) found.push(child);
      more = child.isFolder;
      if (more || found.length === limit) break;
    }
  }
  return found;
};
