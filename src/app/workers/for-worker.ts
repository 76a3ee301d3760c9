import { Observable, type Subject, type Subscription } from 'rxjs';
import type { HealthChange } from '../../../pipelines/index.ts';
import { ShortLivedMap } from '../../../pipelines/operators/short-lived-map.ts';
import type { Mirror } from '../../observe/live/mirror.ts';
import type { Day } from '../../observe/worth/day.ts';
import type { Places } from '../../sources/source-limits.ts';
import type { Refresh } from '../refreshes.ts';
import type { OpenStreamer } from '../streamer.ts';
import type { MasterCalls } from './calls.ts';

/** What the master owns, for all workers. */
export interface Owned {
  readonly streamer: Pick<OpenStreamer, 'outbox' | 'eviction' | 'health' | 'contention'>;
  readonly places: Places;
  readonly refreshes: Subject<Refresh>;
  readonly worth: (day: Day) => void;
  readonly mirror: Mirror;
  /** Gets the number of requests that a worker has finished. */
  readonly finished: Subject<number>;
  /** The number of the worker. */
  readonly index: number;
  /** Called with the changes of sources that a worker finds, for the others. */
  readonly found: (change: HealthChange) => void;
  /** Called with the unit of each save request that a worker notes. */
  readonly noted: (save: Parameters<MasterCalls['append']>[0][number]) => void;
}

/** What the master does for one worker. `close` gives back the places that it has, once it has ended. */
export const forWorker = (owned: Owned): { readonly calls: MasterCalls; close(): void } => {
  const { streamer, places, refreshes, worth, mirror, finished, index, found, noted } = owned;
  const entered = new ShortLivedMap<number, Subscription>();
  return {
    calls: {
      append: (saves) =>
        new Promise((resolve) => {
          const { outbox } = streamer;
          for (const save of saves) {
            noted(save);
            outbox?.append(save);
          }
          if (outbox) outbox.written.subscribe({ complete: resolve });
          else resolve();
        }),
      used: (copy) => streamer.eviction?.used(copy),
      taken: (bytes) => streamer.eviction?.taken(bytes),
      health: (change) => {
        found(change);
        streamer.health.adopt(change);
      },
      worth,
      refreshed: (refresh) => refreshes.next(refresh),
      sums: (sums) => {
        mirror.add(index, sums);
        finished.next(sums.requests);
      },
      news: (news) => mirror.tell(index, news),
      enter: ({ id, holder, places: count, owner }) =>
        new Promise((resolve) => {
          let isIn = false;
          let waited: (() => void) | undefined;
          // Held until the worker leaves it.
          const place = new Observable(() => {
            isIn = true;
            waited?.();
            resolve();
          });
          const held = places(holder, count)(place, 1, owner).subscribe();
          if (!isIn) waited = streamer.contention.waits();
          held.add(() => waited?.());
          entered.set(id, held);
        }),
      leave: (id) => {
        entered.get(id)?.unsubscribe();
        entered.delete(id);
      },
    },
    close: () => {
      for (const one of entered.values()) one.unsubscribe();
      entered.clear();
      mirror.ended(index);
    },
  };
};
