import { asyncScheduler, type SchedulerLike } from 'rxjs';
import type { Valve } from './flow.ts';
import { operate, type Stage } from './operate.ts';

interface SpeedFloor<T> {
  /** The minimum total per window, in the unit of `size`. */
  readonly atLeast: number;
  /** Milliseconds. */
  readonly window: number;
  readonly size: (value: T) => number;
  /** A window in which the valve was ever closed is not judged: the consumer was slow. */
  readonly valve: Valve;
  readonly error: () => unknown;
  readonly scheduler?: SchedulerLike;
}

/**
 * Errors at the end of the first window in which too little came. The first window begins with the
 * source's first value. `firstTimeout` limits the time until that value.
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
  valve,
  error,
  scheduler = asyncScheduler,
}: SpeedFloor<T>): Stage<T, T> =>
  operate((subscriber) => {
    let open = true;
    let started = false;
    let wasClosed = false;
    let came = 0;

    subscriber.add(
      valve.subscribe({
        next: (state) => {
          open = state;
          wasClosed ||= !state;
        },
        error: (failure) => subscriber.error(failure),
      }),
    );
    const watch = () => {
      wasClosed = !open;
      subscriber.add(
        scheduler.schedule(function () {
          if (!wasClosed && came < atLeast) {
            subscriber.error(error());
            return;
          }
          came = 0;
          wasClosed = !open;
          this.schedule(undefined, window);
        }, window),
      );
    };

    return {
      next: (value) => {
        if (!started) watch();
        started = true;
        came += size(value);
        subscriber.next(value);
      },
    };
  });
