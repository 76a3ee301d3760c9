import { concat, defer, filter, type Observable, take, throwIfEmpty, toArray } from 'rxjs';
import { type Catalog, type CatalogEntry, StreamError, type StreamRequest } from '../model/index.ts';

/**
 * Looks up the path in the catalog: first as received, then, if unknown, percent-decoded. Emits the
 * entries, newest first, as one list, and completes. Errors with `NOT_IN_CATALOG`, or as the
 * catalog does.
 */
export const lookup = (
  request: StreamRequest,
  { catalog }: { catalog: Pick<Catalog, 'lookup'> },
): Observable<readonly CatalogEntry[]> =>
  concat(...spellings(request.path).map((path) => defer(() => catalog.lookup(path)).pipe(toArray()))).pipe(
    filter((entries) => entries.length > 0),
    take(1),
    throwIfEmpty(() => new StreamError('NOT_IN_CATALOG', 'catalog', `the catalog has no entry for ${request.path}`)),
  );

/** Pulp writes storage paths raw; clients and proxies may have percent-encoded them. */
const spellings = (path: string): readonly string[] => {
  if (!path.includes('%')) return [path];
  try {
    return [path, decodeURIComponent(path)];
  } catch {
    // Not valid percent-encoding: the path is taken literally.
    return [path];
  }
};
