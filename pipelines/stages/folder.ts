import { concat, defer, EMPTY, filter, map, type Observable, of, switchMap, take, throwIfEmpty, toArray } from 'rxjs';
import { type Catalog, type FolderPolicy, StreamError, type StreamRequest } from '../model/index.ts';
import { fuse } from '../operators/fuse.ts';
import { operate, type Stage } from '../operators/operate.ts';
import type { Flow } from '../operators/valve.ts';
import { fromCatalog } from './from-catalog.ts';
import { type Listed, listing, PAGE } from './listing.ts';
import { indexPaths, spellingsOf } from './lookup.ts';
import type { TransferEvent } from './transfer.ts';

interface FolderDeps {
  readonly catalog: Pick<Catalog, 'lookup' | 'spelling' | 'children'>;
  readonly folders?: FolderPolicy;
}

/**
 * Answers a path that the catalog does not have if it is that of a folder: with a listing, or, if
 * it lacks the slash at its end, with a redirect to the path that has one. So does a path that is a
 * folder at its feed (`IS_FOLDER`). Other events and errors pass unchanged.
 */
export const folder = (
  request: StreamRequest,
  { catalog, folders }: FolderDeps,
): Stage<TransferEvent, TransferEvent> =>
  folders
    ? operate((out, valve) => ({
        next: (event) => out.next(event),
        error: (error) => {
          const code = error instanceof StreamError ? error.code : undefined;
          if (code !== 'NOT_IN_CATALOG' && code !== 'IS_FOLDER') throw error;
          const answer = code === 'IS_FOLDER' ? of(withSlash(request.path)) : instead(request, catalog, folders)(valve);
          answer.pipe(throwIfEmpty(() => error)).subscribe(out);
        },
      }))
    : fuse();

/** Emits the answer for a folder. Completes without one if there is no such folder. */
const instead =
  (request: StreamRequest, catalog: FolderDeps['catalog'], folders: FolderPolicy): Flow<TransferEvent> =>
  (valve) => {
    const { path } = request;
    const children: NonNullable<typeof catalog.children> = (...asked) =>
      (folders.listings && catalog.children?.(...asked)) || EMPTY;
    /** The folder in its first known spelling. */
    const listed = (folder: string, limit: number): Observable<Listed> =>
      concat(
        ...spellingsOf(folder, catalog).map((spelling) =>
          defer(() => children(spelling, undefined, limit).pipe(toArray())).pipe(
            filter((page) => page.length > 0),
            map((page) => ({ folder: spelling, page })),
          ),
        ),
      ).pipe(take(1));

    if (path.endsWith('/'))
      return listed(path, PAGE).pipe(
        switchMap((found) => listing(request, found, (after) => children(found.folder, after, PAGE), valve)),
      );
    const indices = indexPaths(`${path}/`, folders).flatMap((index) => spellingsOf(index, catalog));
    return concat(...indices.map((index) => defer(() => catalog.lookup(index))), listed(`${path}/`, 1)).pipe(
      take(1),
      map(() => withSlash(path)),
    );
  };

/** RFC 9110 section 15.4.2. Relative, since a proxy in front may serve the path below another one. */
const withSlash = (path: string): TransferEvent => {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/[^!-~]/gu, encodeURIComponent);
  return fromCatalog(path, { status: 301, length: 0, whole: false, headers: [['Location', `./${name}/`]] });
};
