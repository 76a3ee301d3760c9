import { randomUUID } from 'node:crypto';
import { defer, distinctUntilChanged, exhaustMap, finalize, type Observable, takeWhile, timer } from 'rxjs';
import type { RefreshStore } from '../catalog/refresh-store.ts';

interface Options {
  /** Milliseconds since 1970, by a clock that all processes share. */
  readonly now?: () => number;
  /** Milliseconds after which a holder that died has lost it. */
  readonly duration?: number;
}

/**
 * The right to refresh a source, for one holder at a time in all processes on one catalog: a record that its holder prolongs. Emits
 * whether it is held, now and when that changes; completes with `false`; errors where the catalog cannot be asked. Unsubscribing gives
 * it back.
 */
export const catalogLease =
  (store: Pick<RefreshStore, 'acquire' | 'release'>, { now = Date.now, duration = 60_000 }: Options = {}) =>
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
          // Not before what is under way: it would take the lease again. Where the catalog is closed, locked or away, the lease ends by itself.
          (acquiring ? acquiring.then(release, release) : release()).catch(() => {});
        }),
      );
    });
