import {
  asyncScheduler,
  catchError,
  defer,
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
  take,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { type BackOff, backOff } from './operators/back-off.ts';
import { limitConcurrency } from './operators/limit-concurrency.ts';
import { type Identified, type RefreshDeps, type RefreshEvent, refreshing, underLease } from './refresh-once.ts';

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
