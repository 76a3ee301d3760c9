import {
  asyncScheduler,
  distinctUntilChanged,
  EMPTY,
  type MonoTypeOperatorFunction,
  type SchedulerLike,
  switchMap,
  takeUntil,
  throwError,
  timer,
} from 'rxjs';
import type { Valve } from './flow.ts';

interface ClosedTimeout {
  /** Milliseconds that the valve may stay closed. */
  readonly timeoutMs: number;
  readonly valve: Valve;
  readonly error: () => unknown;
  readonly scheduler?: SchedulerLike;
}

/**
 * Errors when the valve stays closed for too long. A stuck consumer must not hold a source forever.
 *
 * ```
 * source  a--b-------------!
 * valve   o---x---o---x-----
 * result  a--b-------------#
 * (timeout 5; o open, x closed; ! left)
 * ```
 *
 * Otherwise it emits, completes and errors as the source does. Unsubscribing leaves source and
 * valve, and stops the timer.
 */
export const closedTimeout = <T>({
  timeoutMs,
  valve,
  error,
  scheduler = asyncScheduler,
}: ClosedTimeout): MonoTypeOperatorFunction<T> =>
  takeUntil(
    valve.pipe(
      distinctUntilChanged(),
      switchMap((open) => (open ? EMPTY : timer(timeoutMs, scheduler).pipe(switchMap(() => throwError(error))))),
    ),
  );
