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

/** How far a refresh has come. */
export interface RefreshProgress {
  /** Units found so far. */
  readonly units: number;
  /** The file being read, bytes of it read so far, and in all where that is known. */
  readonly file: string;
  readonly bytes: number;
  readonly size?: number;
}

/**
 * Catalogs what a source has, in place of what it had. Emits how far it has come and completes once the new offers count; errors, with
 * the old offers as they were, where the source cannot be read to its end. Unsubscribing stops it, and nothing new stays behind.
 */
export type Refresher<S> = (source: S) => Observable<RefreshProgress>;

/**
 * The right to refresh a source, of which there is one for all processes on one catalog. Emits `true` once it is held, and holds it until
 * unsubscribed; `false` where another has it, or where it was lost.
 */
export type Lease = (sourceId: string) => Observable<boolean>;

/** What happens with one source. Each refresh that was started ends `done` or `failed`; `busy`: another process refreshes it. */
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

/** `wait` is also the shortest time between two refreshes of a source. */
export interface RefreshSourcesDeps<S extends Identified> extends RefreshDeps<S>, BackOff {
  /** Emits the sources that there are, and again after each change; one that stays the same stays the same value. */
  readonly sources: Observable<readonly S[]>;
  /** Emits the milliseconds for which a source's offers still count: 0 where it has none. */
  readonly freshFor: (source: S) => Observable<number>;
  /** Refreshes under way at once. */
  readonly concurrency: number;
  /** Milliseconds over which the first refreshes are spread. */
  readonly spread: number;
  /** The clock of all waiting. Default: RxJS's own. */
  readonly scheduler?: SchedulerLike;
}

/** Of an offer's remaining life, the share that passes before its source is refreshed; and how much more jitter may add. */
const USED = { least: 0.8, jitter: 0.1 };

/** A timer of Node beyond 2^31 − 1 milliseconds fires at once: what is further off is asked for again on the way. */
const LONGEST_TIMER = 24 * 3_600_000;

/**
 * Keeps the offers of alternate content sources fresh, in the background, for as long as it is subscribed: a source without any is
 * refreshed soon, one whose offers expire is refreshed before they do, one that fails is put off.
 *
 * ```
 * sources    a-----------------
 * refresh 1  --|
 * refresh 2            --|
 * result     s-d-------s-d----!
 * (s started, d done; offers last for 10; ! left)
 * ```
 *
 * Emits what happens with each source. Errors with `sources` alone. A source that is gone, or is described anew, is left at once.
 * Unsubscribing stops every refresh under way.
 */
export const refreshSources = <S extends Identified>(deps: RefreshSourcesDeps<S>): Observable<RefreshEvent<S>> =>
  defer(() => {
    const present = deps.sources.pipe(shareReplay({ bufferSize: 1, refCount: true }));
    const gate = limitConcurrency(deps.concurrency);
    return present.pipe(
      startWith([] as readonly S[]),
      pairwise(),
      mergeMap(([before, now]) => now.filter((source) => !before.includes(source))),
      mergeMap((source) =>
        keepFresh(source, deps, gate).pipe(takeUntil(present.pipe(filter((now) => !now.includes(source))))),
      ),
    );
  });

/**
 * Refreshes one source now. Emits `started`, `progress` and `done`, or `busy` alone, and completes; errors as the refresh does.
 * Unsubscribing stops it.
 */
export const refreshOnce = <S extends Identified>(
  source: S,
  { refresh, lease }: RefreshDeps<S>,
): Observable<RefreshEvent<S>> => underLease(source, lease, refreshing(source, refresh));

const keepFresh = <S extends Identified>(
  source: S,
  deps: RefreshSourcesDeps<S>,
  gate: ReturnType<typeof limitConcurrency>,
): Observable<RefreshEvent<S>> =>
  defer(() => {
    const { refresh, lease, random, scheduler = asyncScheduler } = deps;
    const freshFor = defer(() => deps.freshFor(source)).pipe(take(1));
    let failures = 0;
    let shortest = 0;
    /** How long to wait where that is not for the offers to say. */
    let delay: number | undefined;
    let freshBefore = 0;

    const plan = freshFor.pipe(
      map((fresh) => {
        freshBefore = fresh;
        return Math.max(shortest, fresh > 0 ? fresh * (USED.least + USED.jitter * random()) : deps.spread * random());
      }),
    );

    // Time only takes from freshness: more of it than before means that another process was quicker.
    const work = freshFor.pipe(mergeMap((fresh) => (fresh > freshBefore ? EMPTY : refreshing(source, refresh))));

    const round = defer(() => {
      const wait = delay === undefined ? plan : of(delay);
      delay = undefined;
      return wait;
    }).pipe(
      mergeMap((wait) =>
        wait > LONGEST_TIMER
          ? timer(LONGEST_TIMER, scheduler).pipe(ignoreElements())
          : timer(wait, scheduler).pipe(mergeMap(() => underLease(source, lease, work).pipe(gate))),
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

/** One refresh, told from its start to its end. */
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

/** Does the work while the lease is held, and gives it back after; an error where it is lost on the way. */
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
