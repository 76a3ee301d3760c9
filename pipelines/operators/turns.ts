import { ShortLivedMap } from './short-lived-map.ts';
import { ShortLivedSet } from './short-lived-set.ts';

/** Items that wait. Owners are served in turn, and the items of one owner in their order. */
export interface Turns<T> {
  /** Adds an item at the end of its owner's queue. */
  add(item: T, owner: string): void;
  /** Removes an item that no longer waits. Its owner keeps its turn. */
  delete(item: T): void;
  /** Removes an item whose turn has come. Its owner then comes after all others. */
  serve(item: T): void;
  /** The item whose turn is next, of those owners that `may` be served. */
  first(may?: (owner: string) => boolean): T | undefined;
  /** The number of waiting items. */
  size(): number;
}

interface Queue<T> {
  readonly owner: string;
  readonly items: ShortLivedSet<T>;
}

/**
 * Makes a queue that is fair by owner: one with a thousand items delays another by one item only.
 */
export const createTurns = <T>(): Turns<T> => {
  /** The queue that each item waits in. */
  const places = new ShortLivedMap<T, Queue<T>>();
  /** By owner, in the order of their turns. None is empty. */
  const queues = new ShortLivedMap<string, Queue<T>>();

  const remove = (item: T, served: boolean) => {
    const queue = places.get(item);
    if (!queue) return;
    const { owner, items } = queue;
    places.delete(item);
    items.delete(item);
    if (served || items.size === 0) queues.delete(owner);
    // One that is there still keeps its turn.
    if (items.size > 0) queues.set(owner, queue);
  };

  return {
    add: (item, owner) => {
      const queue = queues.get(owner) ?? { owner, items: new ShortLivedSet<T>() };
      queue.items.add(item);
      queues.set(owner, queue);
      places.set(item, queue);
    },
    delete: (item) => remove(item, false),
    serve: (item) => remove(item, true),
    size: () => places.size,
    first: (may = () => true) => {
      for (const [owner, { items }] of queues) {
        const [item] = items;
        if (may(owner)) return item;
      }
      return undefined;
    },
  };
};
