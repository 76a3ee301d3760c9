import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { type Deadline, deadline } from './deadline.ts';
import { operate, type Stage } from './operate.ts';
import { followValve } from './valve.ts';

interface StallTimeout {
  /** Milliseconds that the source may stay silent between values, and before its end. */
  readonly timeoutMs: number;
  /**
   * Milliseconds between the first value and the second, asked at the first. Default: `timeoutMs`.
   */
  readonly firstMs?: () => number;
  /** Gets the milliseconds of silence that were allowed. */
  readonly error: (timeoutMs: number) => unknown;
  readonly scheduler?: SchedulerLike;
}

/**
 * Errors when a source stays silent for too long after its first value, while the valve is open.
 * The timeout restarts when the valve opens. `firstTimeout` limits the time until the first value.
 *
 * ```
 * source  a--b------------!
 * valve   o----x-----o-----
 * result  a--b------------#
 * (timeout 5; o open, x closed; ! left)
 * ```
 *
 * Otherwise it emits, completes and errors as the source does. The valve's error is the result's.
 * Unsubscribing stops the timer and leaves source and valve.
 */
export const stallTimeout = <T>({
  timeoutMs,
  firstMs = () => timeoutMs,
  error,
  scheduler = asyncScheduler,
}: StallTimeout): Stage<T, T> =>
  operate((out, valve) => {
    let open = true;
    let values = 0;
    let limit = timeoutMs;
    let silence: Deadline | undefined;
    const due = () => (open ? scheduler.now() + limit : Number.POSITIVE_INFINITY);

    followValve(valve, out, (state) => {
      open = state;
      silence?.moveTo(due());
    });
    return {
      next: (value) => {
        if (values < 2) {
          values += 1;
          limit = values === 1 ? firstMs() : timeoutMs;
        }
        if (silence) silence.moveTo(due());
        else silence = deadline(out, scheduler, due(), () => out.error(error(limit)));
        out.next(value);
      },
    };
  });
