import {
  asyncScheduler,
  catchError,
  concat,
  defaultIfEmpty,
  defer,
  EMPTY,
  endWith,
  ignoreElements,
  mergeMap,
  type Observable,
  repeat,
  type SchedulerLike,
  takeWhile,
  timer,
} from 'rxjs';
import type { Pace } from './read-whole.ts';

export interface ScrubOptions<C> {
  /** Begins a round, and returns how to find the next copy: emits it, or nothing after the last one. */
  readonly begin: () => () => Observable<C>;
  /** Verifies a copy, and completes. It reads on as `pace` allows. */
  readonly verify: (copy: C, pace: Pace) => Observable<unknown>;
  /** Bytes per second. */
  readonly rate: number;
  readonly onError: (error: unknown) => void;
  readonly scheduler?: SchedulerLike;
}

/** Milliseconds between the end of a round and the next one: a small folder need not be read all the time. */
const REST = 24 * 3_600_000;

/** Milliseconds' worth of bytes that are read without a pause: a timer for each small copy would cost more. */
const BURST = 100;

/**
 * Verifies all copies, one after the other and no faster than the rate, again and again with a rest
 * in between. The next copy is looked for when the previous one is done, so nothing queues up.
 *
 * Emits nothing and never completes. An error of a copy or of the folder is reported, and the round
 * ends. Unsubscribing stops reading.
 */
export const scrub = <C>({ begin, verify, rate, onError, scheduler = asyncScheduler }: ScrubOptions<C>) =>
  defer((): Observable<never> => {
    let owed = 0;
    const pace: Pace = (bytes) => {
      owed += (bytes * 1000) / rate;
      if (owed < BURST) return EMPTY;
      const wait = owed;
      owed = 0;
      return timer(wait, scheduler);
    };

    const round = defer(() => {
      const next = begin();
      return defer(next).pipe(
        mergeMap((copy) => verify(copy, pace).pipe(ignoreElements(), endWith(true))),
        defaultIfEmpty(false),
        repeat(),
        takeWhile((more) => more),
      );
    }).pipe(
      catchError((error: unknown) => {
        onError(error);
        return EMPTY;
      }),
    );
    return concat(round, timer(REST, scheduler)).pipe(repeat(), ignoreElements());
  });
