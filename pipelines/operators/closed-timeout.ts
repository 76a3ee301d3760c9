import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { type Deadline, deadline } from './deadline.ts';
import { type Stage, stageOf } from './operate.ts';
import { followValve } from './valve.ts';

interface ClosedTimeout {
  /** Milliseconds that the valve may stay closed. */
  readonly timeoutMs: number;
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
export const closedTimeout = <T>({ timeoutMs, error, scheduler = asyncScheduler }: ClosedTimeout): Stage<T, T> =>
  stageOf((out, valve) => {
    let closed: Deadline | undefined;

    followValve(valve, out, (open) => {
      if (open) closed?.moveTo(Number.POSITIVE_INFINITY);
      else if (closed === undefined)
        closed = deadline(out, scheduler, scheduler.now() + timeoutMs, () => out.error(error()));
      else if (closed.at === Number.POSITIVE_INFINITY) closed.moveTo(scheduler.now() + timeoutMs);
    });
    return out;
  });
