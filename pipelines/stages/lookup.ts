import { concat, defer, filter, type Observable, take, throwIfEmpty, toArray } from 'rxjs';
import { type Catalog, type CatalogEntry, decodePath, StreamError, type StreamRequest } from '../model/index.ts';

/**
 * Looks up the path in the catalog as received and percent-decoded, in the catalog's own order
 * (`spelling`); if both are unknown, the same without the `;parameters` of the last segment. Emits
 * the entries of the first known spelling, newest first, as one list, and completes. Errors with
 * `NOT_IN_CATALOG`, or as the catalog does.
 */
export const lookup = (
  request: StreamRequest,
  { catalog }: { catalog: Pick<Catalog, 'lookup' | 'spelling'> },
): Observable<readonly CatalogEntry[]> =>
  concat(...spellingsOf(request.path, catalog).map((path) => defer(() => catalog.lookup(path)).pipe(toArray()))).pipe(
    filter((entries) => entries.length > 0),
    take(1),
    throwIfEmpty(() => new StreamError('NOT_IN_CATALOG', 'catalog', `the catalog has no entry for ${request.path}`)),
  );

/**
 * Pulp writes storage paths raw; clients and proxies may have percent-encoded or decoded them. A `;`
 * is more often part of a name than the start of parameters, which Pulp 2 dropped.
 */
const spellingsOf = (path: string, { spelling }: Pick<Catalog, 'spelling'>): readonly string[] => {
  const both = [path, withoutParameters(path)].flatMap((one) =>
    spelling === 'decoded' ? [decodePath(one), one] : [one, decodePath(one)],
  );
  return [...new Set(both)];
};

const withoutParameters = (path: string): string => {
  const parameters = path.indexOf(';', path.lastIndexOf('/'));
  return parameters < 0 ? path : path.slice(0, parameters);
};
