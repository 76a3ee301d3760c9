import { randomUUID } from 'node:crypto';
import { defer, distinctUntilChanged, finalize, map, type Observable, takeWhile, timer } from 'rxjs';
import type { Refreshes } from './sqlite/refreshes.ts';

interface Options {
  /** Milliseconds since 1970, by a clock that all processes share. */
  readonly now?: () => number;
  /** Milliseconds after which a holder that died has lost it. */
  readonly duration?: number;
}

/**
 * The right to refresh a source, for one holder at a time in all processes on one catalog: a row that its holder prolongs. Emits
 * whether it is held, now and when that changes; completes with `false`. Unsubscribing gives it back.
 */
export const catalogLease =
  (refreshes: Pick<Refreshes, 'acquire' | 'release'>, { now = Date.now, duration = 60_000 }: Options = {}) =>
  (sourceId: string): Observable<boolean> =>
    defer(() => {
      const holder = randomUUID();
      const seconds = () => now() / 1000;
      return timer(0, duration / 3).pipe(
        map(() => refreshes.acquire(sourceId, holder, seconds(), seconds() + duration / 1000)),
        distinctUntilChanged(),
        takeWhile((held) => held, true),
        finalize(() => {
          try {
            refreshes.release(sourceId, holder);
          } catch {
            // The catalog is closed or locked; without being prolonged the lease ends by itself.
          }
        }),
      );
    });
