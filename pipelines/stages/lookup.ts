import {
  type Catalog,
  type CatalogEntry,
  decodePath,
  type FolderPolicy,
  mergeSlashes,
  normalPath,
  StreamError,
  type StreamRequest,
} from '../model/index.ts';
import { NOTHING } from '../operators/at-once.ts';
import { collect } from '../operators/collect.ts';
import { given, operate, type Stage } from '../operators/operate.ts';
import type { Flow } from '../operators/valve.ts';

export interface LookupDeps {
  readonly catalog: Pick<Catalog, 'lookup' | 'spelling' | 'unlisted'>;
  readonly folders?: FolderPolicy;
}

/**
 * Looks up the path in the catalog as received and percent-decoded, in the catalog's own order
 * (`spelling`); if both are unknown, the same without the `;parameters` of the last segment. Then the
 * same for the normal form of the path (RFC 3986 section 6.2.2), and with doubled slashes merged. If
 * the path is that of a folder, then the same for each of its index names. If none is known, asks the
 * catalog for an entry that it does not list, by the decoded normal form. Emits the entries of the first
 * known spelling, newest first, as one list, and completes. Errors with
 * `NOT_IN_CATALOG`, or as the catalog does.
 */
export const lookup = (request: StreamRequest, deps: LookupDeps): Flow<readonly CatalogEntry[]> =>
  given(request, findEntries(deps));

/** The same as a stage, whose value is the request. */
export const findEntries = ({ catalog, folders }: LookupDeps): Stage<StreamRequest, readonly CatalogEntry[]> =>
  operate((out) => ({
    next: ({ path, client }) => {
      const spellings = path.endsWith('/')
        ? [path, ...indexPaths(path, folders)].flatMap((one) => spellingsOf(one, catalog))
        : spellingsOf(path, catalog);
      const lookups = spellings.map((spelling) => () => catalog.lookup(spelling, client));
      lookups.push(() => catalog.unlisted?.(decodePath(normalPath(path)), client) ?? NOTHING);
      collect(lookups, out, {
        enough: isFound,
        done: (entries) => {
          if (entries.length === 0) throw new StreamError('NOT_IN_CATALOG', 'catalog', missing(path));
          out.next(entries);
          out.complete();
        },
      });
    },
    // The look-ups end it.
    complete: () => {},
  }));

const missing = (path: string): string =>
  path.startsWith('/')
    ? `the catalog has no entry for ${path}`
    : `'${path}' is not a path, expected one that begins with /`;

/** The paths of the files that answer for a folder. */
export const indexPaths = (folder: string, folders: FolderPolicy | undefined): readonly string[] =>
  (folders?.indexNames ?? []).map((name) => `${folder}${name}`);

const isFound = (entries: readonly CatalogEntry[]): boolean => entries.length > 0;

/**
 * Pulp writes storage paths raw; clients and proxies may have percent-encoded or decoded them. A `;`
 * is more often part of a name than the start of parameters, which Pulp 2 dropped. apt asks for
 * `/./x.deb` in flat repositories. The path as received comes first: it may be a name in the catalog.
 */
export const spellingsOf = (path: string, { spelling }: Pick<Catalog, 'spelling'>): readonly string[] => {
  // Most paths have only one.
  if (!/[%;]|\/[./]/.test(path)) return [path];
  const normal = normalPath(path);
  const all = [path, normal, mergeSlashes(normal)]
    .flatMap((form) => [form, withoutParameters(form)])
    .flatMap((one) =>
      // An encoded slash is part of a name, unless no such name is known (RFC 3986 section 2.2).
      spelling === 'decoded' ? [decodeNames(one), one, decodePath(one)] : [one, decodePath(one)],
    );
  return [...new Set(all)];
};

/** A path decoded, except for encoded slashes. */
const decodeNames = (path: string): string => path.split(ENCODED_SLASH).map(decodePath).join('%2F');
const ENCODED_SLASH = /%2f/i;

const withoutParameters = (path: string): string => {
  const name = path.lastIndexOf('/');
  return [path.slice(0, name), ...path.slice(name).split(';', 1)].join('');
};
