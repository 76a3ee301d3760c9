import { Observable } from 'rxjs';

/** Makes a stream wait for its place. */
type Gate = <T>(source: Observable<T>) => Observable<T>;

/**
 * Makes a gate with so many places. All streams that are piped through the same gate share them: one takes a place when it is
 * subscribed, and leaves it with its end or its subscriber. Without a free place it waits, first come first served.
 *
 * ```
 * a         --|
 * b         ---|
 * c         -|
 * gate(a)   --|
 * gate(b)   -----|           (with one place; b begins when a is over, c when b is)
 * gate(c)   ------|
 * ```
 *
 * Emits, completes and errors as the source does. Unsubscribing leaves the source, or the queue, at once.
 */
export const limitConcurrency = (places: number): Gate => {
  const waiting = new Set<() => void>();
  let free = places;
  let admitting = false;

  /** A loop rather than a call from each end: sources that end at once would otherwise nest without bound. */
  const admit = () => {
    if (admitting) return;
    admitting = true;
    while (free > 0 && waiting.size > 0) {
      const [next] = waiting;
      if (!next) break;
      waiting.delete(next);
      free -= 1;
      next();
    }
    admitting = false;
  };

  return <T>(source: Observable<T>): Observable<T> =>
    new Observable<T>((subscriber) => {
      const enter = () => {
        source.subscribe(subscriber);
        // Added after the source's own teardown, and so run after it: a place is free once what it was for is closed.
        subscriber.add(() => {
          free += 1;
          admit();
        });
      };
      waiting.add(enter);
      subscriber.add(() => waiting.delete(enter));
      admit();
    });
};
