import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { type Deadline, deadline } from './deadline.ts';
import { operate, type Stage } from './operate.ts';
import { followValve } from './valve.ts';

interface SpeedFloor<T> {
  /** The minimum total per window, in the unit of `size`. */
  readonly atLeast: number;
  /** Milliseconds. */
  readonly window: number;
  readonly size: (value: T) => number;
  readonly error: () => unknown;
  readonly scheduler?: SchedulerLike;
}

/**
 * Errors at the end of the first window in which too little came. The first window begins with the
 * source's first value. `firstTimeout` limits the time until that value. A window in which the valve
 * was ever closed is not judged: the consumer was slow.
 *
 * ```
 * source  --a-b---c--------!
 * result  --a-b---c--------#
 * (at least 1 per window of 5, from the first value; ! left)
 * ```
 *
 * Otherwise it emits, completes and errors as the source does. Unsubscribing stops the timer and
 * leaves source and valve.
 */
export const speedFloor = <T>({
  atLeast,
  window,
  size,
  error,
  scheduler = asyncScheduler,
}: SpeedFloor<T>): Stage<T, T> =>
  operate((out, valve) => {
    let open = true;
    let wasClosed: boolean;
    let came = 0;
    let end: Deadline | undefined;

    followValve(valve, out, (state) => {
      open = state;
      wasClosed ||= !state;
    });
    const judge = (end: Deadline) => {
      if (!wasClosed && came < atLeast) return out.error(error());
      came = 0;
      wasClosed = !open;
      end.moveTo(scheduler.now() + window);
    };

    return {
      next: (value) => {
        if (!end) {
          wasClosed = !open;
          end = deadline(out, scheduler, scheduler.now() + window, judge);
        }
        came += size(value);
        out.next(value);
      },
    };
  });
