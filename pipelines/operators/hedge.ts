import { asyncScheduler, Observable, type SchedulerLike, Subscriber, Subscription } from 'rxjs';

interface Hedge<T> {
  readonly first: Observable<T>;
  /** Asked as well where the first has not won within `after` milliseconds. */
  readonly second: Observable<T>;
  readonly after: number;
  /** Which value decides: whoever emits the first such one goes on, the other is left at once. */
  readonly wins: (value: T) => boolean;
  /** What to emit in place of the failure of one while the other may still win. */
  readonly aside: (error: unknown) => T;
  readonly scheduler?: SchedulerLike;
}

/**
 * Asks a second source when the first is slow, and takes whichever answers first.
 *
 * ```
 * first   ------!
 * second      --H-b-|
 * result  ------H-b-|
 * (the second is asked after 4; H wins; ! left)
 * ```
 *
 * Emits what both emit until one wins, then what the winner emits, with its completion and error. A first that fails before the second was
 * asked is the result's error; afterwards the failure of one is emitted aside, and the other is the only one left.
 * Unsubscribing leaves both, and the timer.
 */
export const hedge = <T>({ first, second, after, wins, aside, scheduler = asyncScheduler }: Hedge<T>): Observable<T> =>
  new Observable<T>((out) => {
    const running = new Set<Subscription>();
    let won = false;

    const run = (source: Observable<T>) => {
      // Made before the source starts: a synchronous one, too, then stops as soon as it is left.
      const subscriber = new Subscriber<T>({
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
      source.subscribe(subscriber);
    };

    const timer = new Subscription();
    out.add(timer);
    timer.add(scheduler.schedule(() => run(second), after));
    run(first);
  });
