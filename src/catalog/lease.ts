import { randomUUID } from 'node:crypto';
import { defer, distinctUntilChanged, exhaustMap, finalize, type Observable, takeWhile, timer } from 'rxjs';
import type { Leases } from './store.ts';

interface Options {
  /** Milliseconds since 1970, by a clock that all processes share. */
  readonly now?: () => number;
  /** Milliseconds after which a holder that died loses the lease. */
  readonly duration?: number;
}

/**
 * The right to refresh a source. Of all processes on one catalog, only one holds it at a time. It
 * is a record that its holder prolongs. Emits whether it is held, now and when that changes.
 * Completes with `false`. Errors if the catalog is unavailable. Unsubscribing releases it.
 */
export const catalogLease =
  (store: Leases, { now = Date.now, duration = 60_000 }: Options = {}) =>
  (sourceId: string): Observable<boolean> =>
    defer(() => {
      const holder = randomUUID();
      const seconds = () => now() / 1000;
      let acquiring: Promise<boolean> | undefined;
      return timer(0, duration / 3).pipe(
        exhaustMap(() => {
          acquiring = store.acquire(sourceId, holder, seconds(), seconds() + duration / 1000).finally(() => {
            acquiring = undefined;
          });
          return acquiring;
        }),
        distinctUntilChanged(),
        takeWhile((held) => held, true),
        finalize(() => {
          const release = () => store.release(sourceId, holder);
          // Only after the running call, which would take the lease again. If the catalog is
          // closed, locked or unavailable, the lease expires.
          (acquiring ? acquiring.then(release, release) : release()).catch(() => {});
        }),
      );
    });
