import type { SchedulerLike, Subscription } from 'rxjs';
import { ShortLivedMap } from './short-lived-map.ts';

/** Items that wait, and a call for those that wait for long. */
export interface Overdue<T> {
  /** An item that waits already begins again. */
  add(item: T): void;
  delete(item: T): void;
  has(item: T): boolean;
  /** Calls for all that wait, at once. Returns whether any did. */
  flush(): boolean;
}

/**
 * Calls `due` with each item that was added `after` milliseconds ago or longer, at most a quarter
 * longer. One timer serves all items: most are deleted long before.
 */
export const createOverdue = <T>(scheduler: SchedulerLike, after: number, due: (item: T) => void): Overdue<T> => {
  /** Since when each item waits, the longest first. */
  const waiting = new ShortLivedMap<T, number>();
  let timer: Subscription | undefined;

  const first = (): readonly [T, number] | undefined => {
    const [oldest] = waiting;
    return oldest;
  };
  const look = () => {
    const now = scheduler.now();
    let oldest = first();
    while (oldest && now - oldest[1] >= after) {
      waiting.delete(oldest[0]);
      due(oldest[0]);
      oldest = first();
    }
    timer = oldest && scheduler.schedule(look, Math.max(after / 4, oldest[1] + after - now));
  };

  return {
    add: (item) => {
      waiting.delete(item);
      waiting.set(item, scheduler.now());
      timer ??= scheduler.schedule(look, after);
    },
    delete: (item) => {
      waiting.delete(item);
    },
    has: (item) => waiting.has(item),
    flush: () => {
      const all = [...waiting.keys()];
      waiting.clear();
      // It would keep a process alive.
      timer?.unsubscribe();
      timer = undefined;
      for (const item of all) due(item);
      return all.length > 0;
    },
  };
};
