import { Observable } from 'rxjs';

/**
 * Emits every `period` milliseconds, and never completes. Unsubscribing ends it. It keeps no
 * embedder's process alive.
 */
export const ticks = (period: number): Observable<void> =>
  new Observable((subscriber) => {
    const timer = setInterval(() => subscriber.next(), period).unref();
    return () => clearInterval(timer);
  });
