import { asyncScheduler, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import type { Valve } from './flow.ts';
import { operate } from './operate.ts';

interface StallTimeout {
  /** Milliseconds that the source may stay silent between values, and before its end. */
  readonly timeoutMs: number;
  /** Silence while the valve is closed is the consumer's wish, not a stall: the time starts anew when it opens. */
  readonly valve: Valve;
  readonly error: () => unknown;
  readonly scheduler?: SchedulerLike;
}

/**
 * Errors when an open source that has begun says nothing for a while; else passes everything on, with completion and error. How long its
 * first value may take is another question, for RxJS's own `timeout({ first })`.
 *
 * ```
 * source  a--b------------!
 * valve   o----x-----o-----
 * result  a--b------------#
 * (within 5; o open, x closed; ! left)
 * ```
 *
 * Costs a value one assignment: one timer runs on and looks back, it is not set anew for each value.
 * Unsubscribing stops the timer and leaves source and valve.
 */
export const stallTimeout = <T>({
  timeoutMs,
  valve,
  error,
  scheduler = asyncScheduler,
}: StallTimeout): MonoTypeOperatorFunction<T> =>
  operate((subscriber) => {
    let open = true;
    let soFar = false;
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
          const left = open ? last + timeoutMs - scheduler.now() : timeoutMs;
          if (left > 0) this.schedule(undefined, left);
          else subscriber.error(error());
        }, timeoutMs),
      );

    return {
      next: (value) => {
        last = scheduler.now();
        if (!soFar) watch();
        soFar = true;
        subscriber.next(value);
      },
    };
  });
