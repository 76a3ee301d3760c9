import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { deadline } from './deadline.ts';
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
    const first = deadline(out, scheduler, scheduler.now() + timeoutMs, () => out.error(error()));
    let came = false;
    return {
      next: (value) => {
        if (!came) first.unsubscribe();
        came = true;
        out.next(value);
      },
    };
  });
