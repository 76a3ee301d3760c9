import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { operate, type Stage } from './operate.ts';

interface FirstTimeout {
  /** Milliseconds until the first value. */
  readonly timeoutMs: number;
  readonly error: () => unknown;
  readonly scheduler?: SchedulerLike;
}

/**
 * Errors when the first value is late, as RxJS's `timeout({ first })` does. But it is a stage, so
 * it can be fused.
 *
 * ```
 * source  -----!
 * result  -----#
 * (timeout 5; ! left)
 * ```
 *
 * Otherwise it emits, completes and errors as the source does. Unsubscribing stops the timer.
 */
export const firstTimeout = <T>({ timeoutMs, error, scheduler = asyncScheduler }: FirstTimeout): Stage<T, T> =>
  operate((out) => {
    const late = scheduler.schedule(() => out.error(error()), timeoutMs);
    out.add(late);
    return {
      next: (value) => {
        if (!late.closed) late.unsubscribe();
        out.next(value);
      },
    };
  });
