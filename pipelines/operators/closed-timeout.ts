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

interface Patience {
  /** Milliseconds that the consumer may want nothing. */
  readonly timeoutMs: number;
  readonly valve: Valve;
  readonly error: () => unknown;
  readonly scheduler?: SchedulerLike;
}

/**
 * Errors when the valve stays closed for too long: a consumer that is stuck must not hold a source for ever.
 *
 * ```
 * source  a--b-------------!
 * valve   o---x---o---x-----
 * result  a--b-------------#
 * (within 5; o open, x closed; ! left)
 * ```
 *
 * Else passes everything on. Unsubscribing leaves source and valve, and stops the timer.
 */
export const closedTimeout = <T>({
  timeoutMs,
  valve,
  error,
  scheduler = asyncScheduler,
}: Patience): MonoTypeOperatorFunction<T> =>
  takeUntil(
    valve.pipe(
      distinctUntilChanged(),
      switchMap((open) => (open ? EMPTY : timer(timeoutMs, scheduler).pipe(switchMap(() => throwError(error))))),
    ),
  );
