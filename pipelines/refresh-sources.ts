import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  ignoreElements,
  map,
  mergeMap,
  type Observable,
  of,
  pairwise,
  repeat,
  type SchedulerLike,
  shareReplay,
  startWith,
  switchMap,
  take,
  takeUntil,
  takeWhile,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { type BackOff, backOff } from './operators/back-off.ts';
import { limitConcurrency } from './operators/limit-concurrency.ts';

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

interface Identified {
  readonly id: string;
}

interface RefreshDeps<S extends Identified> {
  readonly refresh: Refresher<S>;
  readonly lease: Lease;
}

/** `wait` is also the minimum time between two refreshes of a source. */
export interface RefreshSourcesDeps<S extends Identified> extends RefreshDeps<S>, BackOff {
  /**
   * Emits the current sources, and again after each change. An unchanged source stays the same
   * value.
   */
  readonly sources: Observable<readonly S[]>;
  /** Emits the milliseconds for which the offers of a source stay valid: 0 if it has none. */
  readonly freshFor: (source: S) => Observable<number>;
  /** Maximum number of concurrent refreshes. */
  readonly concurrency: number;
  /** Milliseconds over which the first refreshes are spread. */
  readonly spread: number;
  /** Clock of all timers. Default: the RxJS clock. */
  readonly scheduler?: SchedulerLike;
}

/**
 * The share of an offer's remaining life that passes before its source is refreshed, and the share
 * that jitter adds at most.
 */
const USED = { least: 0.8, jitter: 0.1 };

/**
 * A Node timer beyond 2^31 − 1 milliseconds fires at once. A longer wait is planned again after
 * this time.
 */
const LONGEST_TIMER = 24 * 3_600_000;

/**
 * Keeps the offers of alternate content sources fresh, in the background, while it is subscribed. A
 * source without offers is refreshed soon. A source whose offers expire is refreshed before they
 * do. A source that fails is put off.
 *
 * ```
 * sources    a-----------------
 * refresh 1  --|
 * refresh 2            --|
 * result     s-d-------s-d----!
 * (s started, d done; offers last for 10; ! left)
 * ```
 *
 * Emits the events of each source. Errors only with `sources`. A source that is removed or changed
 * is left at once. Unsubscribing stops every refresh in progress.
 */
export const refreshSources = <S extends Identified>(deps: RefreshSourcesDeps<S>): Observable<RefreshEvent<S>> =>
  defer(() => {
    const present = deps.sources.pipe(shareReplay({ bufferSize: 1, refCount: true }));
    const semaphore = limitConcurrency(deps.concurrency);
    return present.pipe(
      startWith([] as readonly S[]),
      pairwise(),
      mergeMap(([before, now]) => now.filter((source) => !before.includes(source))),
      mergeMap((source) =>
        keepFresh(source, deps, semaphore).pipe(takeUntil(present.pipe(filter((now) => !now.includes(source))))),
      ),
    );
  });

/**
 * Refreshes one source now. Emits `started`, `progress` and `done`, or only `busy`, and completes.
 * Errors as the refresh does. Unsubscribing stops it.
 */
export const refreshOnce = <S extends Identified>(
  source: S,
  { refresh, lease }: RefreshDeps<S>,
): Observable<RefreshEvent<S>> => underLease(source, lease, refreshing(source, refresh));

const keepFresh = <S extends Identified>(
  source: S,
  deps: RefreshSourcesDeps<S>,
  semaphore: ReturnType<typeof limitConcurrency>,
): Observable<RefreshEvent<S>> =>
  defer(() => {
    const { refresh, lease, random, scheduler = asyncScheduler } = deps;
    const freshFor = defer(() => deps.freshFor(source)).pipe(take(1));
    let failures = 0;
    let shortest = 0;
    /** The next wait after a failure or `busy`. If undefined, it follows from the offers. */
    let delay: number | undefined;
    let freshBefore = 0;

    const plan = freshFor.pipe(
      map((fresh) => {
        freshBefore = fresh;
        return Math.max(shortest, fresh > 0 ? fresh * (USED.least + USED.jitter * random()) : deps.spread * random());
      }),
    );

    // Freshness only decreases with time: a higher value means that another process has refreshed
    // the source.
    const work = freshFor.pipe(mergeMap((fresh) => (fresh > freshBefore ? EMPTY : refreshing(source, refresh))));

    const round = defer(() => {
      const wait = delay === undefined ? plan : of(delay);
      delay = undefined;
      return wait;
    }).pipe(
      mergeMap((wait) =>
        wait > LONGEST_TIMER
          ? timer(LONGEST_TIMER, scheduler).pipe(ignoreElements())
          : timer(wait, scheduler).pipe(mergeMap(() => underLease(source, lease, work).pipe(semaphore))),
      ),
      tap((event) => {
        if (event.type !== 'done' && event.type !== 'busy') return;
        failures = 0;
        shortest = deps.wait;
        if (event.type === 'busy') delay = backOff(0, deps);
      }),
      catchError((error: unknown) => {
        delay = backOff(failures++, deps);
        return of<RefreshEvent<S>>({ type: 'failed', source, error, delay });
      }),
    );
    return round.pipe(repeat());
  });

/** One refresh, from `started` to `done`. */
const refreshing = <S>(source: S, refresh: Refresher<S>): Observable<RefreshEvent<S>> =>
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

const OVER = { type: 'over' } as const;
type Step<S> = RefreshEvent<S> | typeof OVER;

/**
 * Does the work while the lease is held, then releases it. Errors if the lease is lost before the
 * end.
 */
const underLease = <S extends Identified>(
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
