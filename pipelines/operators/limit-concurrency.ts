import { Observable } from 'rxjs';

/** Makes a stream wait for its place, or for so many. */
type Semaphore = <T>(source: Observable<T>, needed?: number) => Observable<T>;

/**
 * Makes a semaphore with so many places. All streams that are piped through the same semaphore share them: one takes a place when it is
 * subscribed, and leaves it with its end or its subscriber. Without a free place it waits, first come first served. One that needs several
 * places waits until all are free, and so do those that came after it; one that needs more than there are takes all.
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
 * Emits, completes and errors as the source does. Unsubscribing leaves the source, or the queue, at once.
 */
export const limitConcurrency = (places: number): Semaphore => {
  const waiting = new Map<() => void, number>();
  let free = places;
  let admitting = false;

  /** A loop rather than a call from each end: sources that end at once would otherwise nest without bound. */
  const admit = () => {
    if (admitting) return;
    admitting = true;
    for (;;) {
      const [first] = waiting;
      if (!first || first[1] > free) break;
      const [enter, needed] = first;
      waiting.delete(enter);
      free -= needed;
      enter();
    }
    admitting = false;
  };

  return <T>(source: Observable<T>, needed = 1): Observable<T> =>
    new Observable<T>((subscriber) => {
      const taken = Math.min(needed, places);
      const enter = () => {
        source.subscribe(subscriber);
        // Added after the source's own teardown, and so run after it: a place is free once what it was for is closed.
        subscriber.add(() => {
          free += taken;
          admit();
        });
      };
      waiting.set(enter, taken);
      subscriber.add(() => waiting.delete(enter));
      admit();
    });
};
