import {
  catchError,
  concat,
  defer,
  EMPTY,
  filter,
  ignoreElements,
  mergeMap,
  type Observable,
  of,
  type Subject,
  takeUntil,
  takeWhile,
  tap,
  throwError,
} from 'rxjs';
import { type CatalogEntry, type Dispatch, type ErrorCode, StreamError } from '../../../pipelines/model/index.ts';
import type { Valve } from '../../../pipelines/operators/valve.ts';
import { keyOf } from './names.ts';

/** How content that has no copy is fetched just to save it. */
export interface Refetching {
  /**
   * Fetches an entry again through the pipeline, with `keep`. Emits the entry that it fetched,
   * which may be another one of the same path by now, and completes with the transfer. The valve is
   * closed while the disk cannot keep up. Without it, content that was not kept during its transfer
   * cannot be saved.
   */
  readonly fetch?: (entry: CatalogEntry, valve: Valve) => Observable<CatalogEntry>;
  /**
   * Whether an entry may be fetched just to save it, and not because a client wants it. Default:
   * each may.
   */
  readonly mayFetch?: (entry: CatalogEntry) => boolean;
}

/** What a store of copies says about them while they are made. */
export interface Making {
  /**
   * Whether nothing is left to save, after the work under way for the entry: it has a right copy that
   * will last, or is too large to be kept.
   */
  isDone(entry: CatalogEntry): Promise<boolean>;
  /** Why nothing should be fetched for the entry, if the store would not take it. */
  obstacle(entry: CatalogEntry): Promise<string | undefined>;
  /** The keys of content above the limit. A save request for it is done. */
  readonly tooLarge: ReadonlySet<string>;
  /** Emits the key of each copy that was abandoned. */
  readonly abandoned: Subject<string>;
  /** Closed while the store cannot keep up. */
  readonly valve: Valve;
}

/** See `SaveStore.dispatch`. */
export const dispatchTo =
  (making: Making, { fetch, mayFetch }: Refetching): Dispatch =>
  ({ entry }) =>
    unless(
      () => making.isDone(entry),
      mayFetch?.(entry) === false
        ? of(`${entry.path} has no copy, and its feed is metered: the next client’s transfer makes one`)
        : defer(() => making.obstacle(entry)).pipe(
            mergeMap((why) => (why === undefined ? fetchAgain(making, fetch, entry) : refused(entry, why))),
          ),
    );

/** No later try finds what these say: the path of a package that only earlier revisions have, or none has. */
const GONE: ReadonlySet<ErrorCode> = new Set(['NOT_IN_CATALOG', 'NOT_KEPT']);

/** Completes once a new transfer has made the copy. Declines if the catalog has it no more, errors if it failed. */
const fetchAgain = (making: Making, fetch: Refetching['fetch'], requested: CatalogEntry): Observable<string> =>
  defer(() => {
    let entry = requested;
    const stopped = making.abandoned.pipe(filter((key) => key === keyOf(entry)));
    const noCopy = throwError(() => new Error(`${entry.path} has no copy, and none could be made`));
    return concat(
      (fetch?.(requested, making.valve) ?? EMPTY).pipe(
        tap((found) => {
          // A feed may have it all the same. Nothing would prove that it is the same content.
          if (requested.checksum && !found.checksum)
            throw new StreamError('NOT_IN_CATALOG', 'catalog', 'the catalog no longer lists it');
          entry = found;
        }),
        takeWhile((found) => !making.tooLarge.has(keyOf(found))),
        takeUntil(stopped),
        ignoreElements(),
      ),
      unless(() => making.isDone(entry), noCopy),
    ).pipe(
      catchError((error: unknown) =>
        error instanceof StreamError && GONE.has(error.code)
          ? of(`${requested.path} has no copy, and cannot be fetched by itself: ${error.message}`)
          : throwError(() => error),
      ),
    );
  });

const refused = ({ path }: CatalogEntry, why: string): Observable<never> =>
  throwError(() => new Error(`${path} has no copy, and ${why}`));

const unless = <T>(condition: () => Promise<boolean>, otherwise: Observable<T>): Observable<T> =>
  defer(condition).pipe(mergeMap((holds) => (holds ? EMPTY : otherwise)));
