import { asyncScheduler, type SchedulerLike } from 'rxjs';
import type { Valve } from './flow.ts';
import { operate, type Stage } from './operate.ts';

interface StallTimeout {
  /** Milliseconds that the source may stay silent between values, and before its end. */
  readonly timeoutMs: number;
  /**
   * Milliseconds between the first value and the second, asked at the first. Default: `timeoutMs`.
   */
  readonly firstMs?: () => number;
  /**
   * Silence while the valve is closed is not a stall. The timeout restarts when the valve opens.
   */
  readonly valve: Valve;
  /** Gets the milliseconds of silence that were allowed. */
  readonly error: (timeoutMs: number) => unknown;
  readonly scheduler?: SchedulerLike;
}

/**
 * Errors when a source stays silent for too long after its first value, while the valve is open.
 * `firstTimeout` limits the time until the first value.
 *
 * ```
 * source  a--b------------!
 * valve   o----x-----o-----
 * result  a--b------------#
 * (timeout 5; o open, x closed; ! left)
 * ```
 *
 * Otherwise it emits, completes and errors as the source does. The valve's error is the result's.
 * Unsubscribing stops the timer and leaves source and valve. Each value costs one assignment: the
 * timer is not reset for it, but checks the time of the last value when it fires.
 */
export const stallTimeout = <T>({
  timeoutMs,
  firstMs = () => timeoutMs,
  valve,
  error,
  scheduler = asyncScheduler,
}: StallTimeout): Stage<T, T> =>
  operate((subscriber) => {
    let open = true;
    let values = 0;
    let limit = timeoutMs;
    let last = 0;

    subscriber.add(
      valve.subscribe({
        next: (state) => {
          open = state;
          last = scheduler.now();
        },
        error: (failure) => subscriber.error(failure),
      }),
    );
    const watch = () =>
      subscriber.add(
        scheduler.schedule(function () {
          const left = open ? last + limit - scheduler.now() : limit;
          if (left > 0) this.schedule(undefined, left);
          else subscriber.error(error(limit));
        }, limit),
      );

    return {
      next: (value) => {
        last = scheduler.now();
        if (values < 2) {
          values += 1;
          limit = values === 1 ? firstMs() : timeoutMs;
          if (values === 1) watch();
        }
        subscriber.next(value);
      },
    };
  });
