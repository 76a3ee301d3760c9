import { asyncScheduler, Observable, type SchedulerLike, Subscription } from 'rxjs';
import { subscriberOf } from './subscriber.ts';
import type { Flow } from './valve.ts';

interface Hedge<T> {
  readonly first: Flow<T>;
  /** Asked, too, if `first` has not won after `after` milliseconds. */
  readonly second: Flow<T>;
  readonly after: number;
  /** Whether a value wins. The first source to emit one continues; the other is left at once. */
  readonly wins: (value: T) => boolean;
  /** Emitted in place of one source's error while the other may still win. */
  readonly aside: (error: unknown) => T;
  readonly scheduler?: SchedulerLike;
}

/**
 * Asks a second source if the first is slow, and takes the one that answers first.
 *
 * ```
 * first   ------!
 * second      --H-b-|
 * result  ------H-b-|
 * (the second is asked after 4; H wins; ! left)
 * ```
 *
 * Emits the values of both until one wins, then the winner's, with its completion and error. If the
 * first fails before the second is asked, the result errors at once. Afterwards the error of one is
 * emitted as `aside`, and the other continues; if it fails, too, the result errors.
 * Unsubscribing leaves both, and stops the timer.
 */
export const hedge =
  <T>({ first, second, after, wins, aside, scheduler = asyncScheduler }: Hedge<T>): Flow<T> =>
  (valve) =>
    new Observable<T>((out) => {
      const running = new Set<Subscription>();
      let won = false;

      const run = (source: Flow<T>) => {
        // Made before the source starts: a synchronous source, too, stops as soon as it is left.
        const subscriber = subscriberOf<T>({
          next: (value) => {
            if (!won && wins(value)) {
              won = true;
              timer.unsubscribe();
              for (const other of running) if (other !== subscriber) other.unsubscribe();
            }
            out.next(value);
          },
          error: (error: unknown) => {
            running.delete(subscriber);
            if (won || running.size === 0) out.error(error);
            else out.next(aside(error));
          },
          complete: () => out.complete(),
        });
        running.add(subscriber);
        out.add(subscriber);
        source(valve).subscribe(subscriber);
      };

      const timer = new Subscription();
      out.add(timer);
      timer.add(scheduler.schedule(() => run(second), after));
      run(first);
    });
