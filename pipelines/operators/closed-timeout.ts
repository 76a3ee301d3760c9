import { asyncScheduler, type SchedulerLike, type Subscription } from 'rxjs';
import type { Valve } from './flow.ts';
import { operate, type Stage } from './operate.ts';

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
export const closedTimeout = <T>({ timeoutMs, valve, error, scheduler = asyncScheduler }: ClosedTimeout): Stage<T, T> =>
  operate((out) => {
    let waiting: Subscription | undefined;

    out.add(
      valve.subscribe({
        next: (open) => {
          if (!open && !waiting) {
            waiting = scheduler.schedule(() => out.error(error()), timeoutMs);
            out.add(waiting);
          } else if (open) {
            waiting?.unsubscribe();
            waiting = undefined;
          }
        },
        error: (failure) => out.error(failure),
      }),
    );
    return { next: (value) => out.next(value) };
  });
