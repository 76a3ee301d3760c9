import { concat, defer, distinctUntilChanged, map, type Observable, of, switchMap, takeWhile, throwError } from 'rxjs';

/** The progress of a refresh. */
export interface RefreshProgress {
  /** Units found so far. */
  readonly units: number;
  /** The file being read, the bytes read of it so far, and its size if known. */
  readonly file: string;
  readonly bytes: number;
  readonly size?: number;
}

/**
 * Replaces a source's offers in the catalog with those that it has now. Emits its progress and
 * completes once the new offers count. Errors if a part of the source cannot be read to its end; the
 * old offers of that part then stay. Unsubscribing stops the refresh and discards the new offers of
 * the part that is being read.
 */
export type Refresher<S> = (source: S) => Observable<RefreshProgress>;

/**
 * The right to refresh a source, exclusive among all processes on one catalog. Emits `true` once it
 * is held, and holds it until unsubscribed. Emits `false` if another process holds it, or if it was
 * lost.
 */
export type Lease = (sourceId: string) => Observable<boolean>;

/**
 * An event of one source. Each refresh that was `started` ends with `done` or `failed`. `busy`:
 * another process refreshes the source.
 */
export type RefreshEvent<S> =
  | { readonly type: 'started'; readonly source: S }
  | { readonly type: 'progress'; readonly source: S; readonly progress: RefreshProgress }
  | { readonly type: 'done'; readonly source: S; readonly units: number }
  | { readonly type: 'busy'; readonly source: S }
  | {
      readonly type: 'failed';
      readonly source: S;
      readonly error: unknown;
      /** Milliseconds until the next try. */
      readonly delay: number;
    };

export interface Identified {
  readonly id: string;
}

export interface RefreshDeps<S extends Identified> {
  readonly refresh: Refresher<S>;
  readonly lease: Lease;
}

/**
 * Refreshes one source now. Emits `started`, `progress` and `done`, or only `busy`, and completes.
 * Errors as the refresh does. Unsubscribing stops it.
 */
export const refreshOnce = <S extends Identified>(
  source: S,
  { refresh, lease }: RefreshDeps<S>,
): Observable<RefreshEvent<S>> => underLease(source, lease, refreshing(source, refresh));

/** One refresh, from `started` to `done`. */
export const refreshing = <S>(source: S, refresh: Refresher<S>): Observable<RefreshEvent<S>> =>
  defer(() => {
    let units = 0;
    return concat(
      of<RefreshEvent<S>>({ type: 'started', source }),
      defer(() => refresh(source)).pipe(
        map((progress): RefreshEvent<S> => {
          units = progress.units;
          return { type: 'progress', source, progress };
        }),
      ),
      defer(() => of<RefreshEvent<S>>({ type: 'done', source, units })),
    );
  });

/** After the last event. */
const OVER = undefined;
type Step<S> = RefreshEvent<S> | typeof OVER;

/**
 * Does the work while the lease is held, then releases it. Errors if the lease is lost before the
 * end.
 */
export const underLease = <S extends Identified>(
  source: S,
  lease: Lease,
  work: Observable<RefreshEvent<S>>,
): Observable<RefreshEvent<S>> =>
  defer(() => lease(source.id)).pipe(
    distinctUntilChanged(),
    switchMap((held, index): Observable<Step<S>> => {
      if (held) return concat(work, of(OVER));
      return index === 0 ? of<Step<S>[]>({ type: 'busy', source }, OVER) : throwError(() => lost(source));
    }),
    takeWhile((event): event is RefreshEvent<S> => event !== OVER),
  );

const lost = ({ id }: Identified): Error =>
  new Error(`the lease on ${id} was lost: another process may be refreshing it`);
