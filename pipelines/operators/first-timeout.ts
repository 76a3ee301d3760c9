import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { deadline } from './deadline.ts';
import { operate, type Stage } from './operate.ts';

interface FirstTimeout {
  /** Milliseconds until the first value. */
  readonly timeoutMs: number;
  /**
   * Called when the timeout has passed: until when to wait, on the clock of the scheduler. A time
   * that has passed ends the wait. Default: it ends.
   */
  readonly dueAt?: () => number;
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
export const firstTimeout = <T>({ timeoutMs, dueAt, error, scheduler = asyncScheduler }: FirstTimeout): Stage<T, T> =>
  operate((out) => {
    const first = deadline(out, scheduler, scheduler.now() + timeoutMs, (late) => {
      const at = dueAt?.() ?? late.at;
      if (at > scheduler.now()) late.moveTo(at);
      else out.error(error());
    });
    let came = false;
    return {
      next: (value) => {
        if (!came) first.unsubscribe();
        came = true;
        out.next(value);
      },
    };
  });
