import { Observable } from 'rxjs';
import { createTurns } from './turns.ts';

/** Makes a stream wait for a place, or for `needed` places. */
type Semaphore = <T>(source: Observable<T>, needed?: number, owner?: string) => Observable<T>;

/**
 * Makes a semaphore with a number of places. All streams piped through it share them. A stream
 * takes a place when it is subscribed, and frees it when it ends or is unsubscribed. If all places
 * are taken, streams wait in a queue: owners in turn, and the streams of one owner in the order of
 * their subscriptions. A stream that needs several places waits until all of them are free, and
 * later streams wait behind it. A stream that needs more places than exist takes all of them.
 *
 * ```
 * a         a---|
 * b         b-|
 * c           c--|
 * d             d|
 * limit(a)  a---|
 * limit(b)  b-|
 * limit(c)  --c--|
 * limit(d)  ----d|
 * (two places)
 * ```
 *
 * Emits, completes and errors as the source does. Unsubscribing leaves source or queue at once.
 */
export const limitConcurrency = (places: number): Semaphore => {
  const waiting = createTurns<Waiter>();
  let free = places;
  let admitting = false;

  /**
   * A loop, not a call from each end: sources that end at once would otherwise nest without bound.
   */
  const admit = () => {
    if (admitting) return;
    admitting = true;
    for (;;) {
      const first = waiting.first();
      if (!first || first.needed > free) break;
      waiting.serve(first);
      free -= first.needed;
      first.enter();
    }
    admitting = false;
  };

  return <T>(source: Observable<T>, needed = 1, owner = ''): Observable<T> =>
    new Observable<T>((subscriber) => {
      const taken = Math.min(needed, places);
      const enter = () => {
        source.subscribe(subscriber);
        // Added after the source's teardown, so the source is closed before its place is free.
        subscriber.add(() => {
          free += taken;
          admit();
        });
      };
      const waiter = { enter, needed: taken };
      waiting.add(waiter, owner);
      subscriber.add(() => waiting.delete(waiter));
      admit();
    });
};

interface Waiter {
  readonly enter: () => void;
  readonly needed: number;
}
