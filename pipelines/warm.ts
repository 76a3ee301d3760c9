import {
  catchError,
  concat,
  defer,
  distinctUntilChanged,
  EMPTY,
  from,
  groupBy,
  ignoreElements,
  map,
  mergeMap,
  NEVER,
  type Observable,
  of,
  type SchedulerLike,
  switchMap,
  take,
  takeWhile,
  tap,
} from 'rxjs';
import { type Chunk, isCopy, LOANS, type StreamEvent } from './model/index.ts';
import { limitConcurrency } from './operators/limit-concurrency.ts';
import { rateLimit } from './operators/rate-limit.ts';
import { type Flow, type FlowOperator, OPEN } from './operators/valve.ts';

/** A file that may be fetched ahead. */
export interface Wanted {
  readonly path: string;
  /** Bytes. A file of unknown size is never fetched ahead: nothing could bound it. */
  readonly size?: number;
}

/**
 * Why a file is not fetched ahead. `limit`: the bytes of its round are used up. `kept`: a client was
 * faster. `gave-way`: its transfer was ended too often.
 */
export type NotWarmed = 'limit' | 'size-unknown' | 'kept' | 'gave-way' | (string & {});

/** Beginnings of one transfer: each time that it is ended, its bytes were for nothing. */
const BEGINNINGS = 5;

/** Files that may be worth fetching, because of one refresh or one command. */
export interface WarmRound<W extends Wanted> {
  /** A later round of the same id takes the place of an earlier one. */
  readonly id: string;
  /** Emits them once, the most wanted first. With `skip`, one is not fetched for that reason. */
  readonly plan: () => Observable<readonly (W & { readonly skip?: NotWarmed })[]>;
  /** The bytes that the round may fetch. */
  readonly bytes: number;
  /**
   * Whether anything may be fetched now; its present state first. `false` ends the transfers under way,
   * whose places others need; they begin again with `true`.
   */
  readonly allowed: Observable<boolean>;
}

/**
 * A round that was `planned` ends with `done`, with `failed` without a file, or with another one in
 * its place. Each of its files is `warmed`, `skipped` or `failed` before.
 */
export type WarmEvent<W extends Wanted> =
  /** What it will try to fetch. */
  | { readonly type: 'planned'; readonly id: string; readonly files: number; readonly bytes: number }
  | { readonly type: 'warmed'; readonly id: string; readonly wanted: W; readonly bytes: number }
  | { readonly type: 'skipped'; readonly id: string; readonly wanted: W; readonly reason: NotWarmed }
  | { readonly type: 'failed'; readonly id: string; readonly wanted?: W; readonly error: unknown }
  | { readonly type: 'done'; readonly id: string };

/** Dependencies of `createWarmer`. */
export interface WarmDeps<W extends Wanted> {
  /**
   * Fetches a file as a client would, with a copy, and completes once that is kept. Bytes come no
   * faster than the valve allows.
   */
  readonly fetch: (wanted: W) => Flow<StreamEvent>;
  /** Called once a file was fetched. The round goes on when it completes; what it throws is a failure of the file. */
  readonly kept: (wanted: W) => Observable<never>;
  /** Transfers at a time, of all rounds. */
  readonly concurrency: number;
  /** Bytes per second of all transfers together; 0: no limit. */
  readonly perSecond: number;
  /** Clock of the rate. Default: the RxJS clock. */
  readonly scheduler?: SchedulerLike;
}

/**
 * Makes what runs rounds of warming: what clients will ask for is fetched before they do.
 *
 * ```
 * allowed   t-----f---t------
 * file a    --a|
 * file b      ----!   ----b|
 * result    p-a-----------b(d|)
 * (one at a time; p planned, d done; t true, f false; ! left)
 * ```
 *
 * Each round emits its events and completes after `done`, or after its failure; it never errors. A
 * file that fails costs nothing but itself. Rounds take turns, and share `concurrency` and
 * `perSecond`. Unsubscribing ends the transfers of the round at once.
 */
export const createWarmer = <W extends Wanted>({
  fetch,
  kept,
  concurrency,
  perSecond,
  scheduler,
}: WarmDeps<W>): ((round: WarmRound<W>) => Observable<WarmEvent<W>>) => {
  const places = limitConcurrency(concurrency);
  const limited: FlowOperator<StreamEvent, StreamEvent> =
    perSecond === 0 ? (source) => source : rateLimit({ perSecond, size, split, lending: LOANS, scheduler });

  /** One transfer, of which nothing remains but the copy. */
  const transfer = (id: string, wanted: W): Observable<WarmEvent<W>> =>
    defer(() => {
      let bytes = 0;
      let wasKept = false;
      const fetched = limited(fetch(wanted))(OPEN).pipe(
        tap((event) => {
          bytes += size(event);
          wasKept ||= event.type === 'head' && isCopy(event.candidate);
        }),
        takeWhile(() => !wasKept),
        ignoreElements(),
      );
      return concat(
        fetched,
        defer(() => (wasKept ? EMPTY : kept(wanted))),
        defer(() => of<WarmEvent<W>>(wasKept ? skipped(id, wanted, 'kept') : { type: 'warmed', id, wanted, bytes })),
      );
    });

  const whenAllowed = ({ id, allowed }: WarmRound<W>, wanted: W): Observable<WarmEvent<W>> =>
    defer(() => {
      let beginnings = 0;
      const begin = defer(() => {
        beginnings += 1;
        return beginnings > BEGINNINGS ? of(skipped(id, wanted, 'gave-way')) : transfer(id, wanted);
      });
      return allowed.pipe(
        distinctUntilChanged(),
        // It takes no place while it waits.
        switchMap((may) => (may ? places(begin, 1, id) : NEVER)),
        take(1),
      );
    }).pipe(catchError((error: unknown) => of<WarmEvent<W>>({ type: 'failed', id, wanted, error })));

  return (round) =>
    defer(round.plan).pipe(
      take(1),
      map((files) => judged(files, round.bytes)),
      mergeMap(({ worth, others }) =>
        concat(
          of<WarmEvent<W>>({ type: 'planned', id: round.id, files: worth.length, bytes: sum(worth) }),
          others.map(([wanted, reason]) => skipped(round.id, wanted, reason)),
          from(worth).pipe(mergeMap((wanted) => whenAllowed(round, wanted), concurrency)),
          of<WarmEvent<W>>({ type: 'done', id: round.id }),
        ),
      ),
      catchError((error: unknown) => of<WarmEvent<W>>({ type: 'failed', id: round.id, error })),
    );
};

const skipped = <W extends Wanted>(id: string, wanted: W, reason: NotWarmed): WarmEvent<W> => ({
  type: 'skipped',
  id,
  wanted,
  reason,
});

/**
 * Runs each round as it comes. One takes the place of an earlier one of the same id: what that had
 * not fetched is planned again. Emits the events of all. Completes after the last round once
 * `rounds` has; errors with `rounds`. Unsubscribing ends everything at once.
 */
export const warm = <W extends Wanted>(
  rounds: Observable<WarmRound<W>>,
  run: ReturnType<typeof createWarmer<W>>,
): Observable<WarmEvent<W>> =>
  rounds.pipe(
    groupBy(({ id }) => id),
    mergeMap((ofId) => ofId.pipe(switchMap(run))),
  );

/** Divides files into those that are worth fetching within so many bytes, and the others. */
const judged = <W extends Wanted>(files: readonly (W & { readonly skip?: NotWarmed })[], bytes: number) => {
  const worth: W[] = [];
  const others: (readonly [W, NotWarmed])[] = [];
  let left = bytes;
  for (const file of files) {
    const reason = file.skip ?? (file.size === undefined ? 'size-unknown' : file.size > left ? 'limit' : undefined);
    if (reason === undefined) {
      worth.push(file);
      left -= file.size ?? 0;
    } else others.push([file, reason]);
  }
  return { worth, others };
};

const sum = (files: readonly Wanted[]): number => files.reduce((bytes, file) => bytes + (file.size ?? 0), 0);

const size = (event: StreamEvent): number => (event.type === 'chunk' ? event.bytes.length : 0);

/** Only what has a size is split: a chunk. */
const split = (event: StreamEvent, at: number): readonly [Chunk, Chunk] => {
  const chunk = event as Chunk;
  return [
    { ...chunk, bytes: chunk.bytes.subarray(0, at) },
    { ...chunk, bytes: chunk.bytes.subarray(at) },
  ];
};
