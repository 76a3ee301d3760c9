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

/**
 * Makes a queue that is fair by owner: one with a thousand items delays another by one item only.
 */
export const createTurns = <T>(): Turns<T> => {
  const owners = new Map<T, string>();
  /** By owner, in the order of their turns. */
  const queues = new Map<string, Set<T>>();

  const remove = (item: T, served: boolean) => {
    const owner = owners.get(item);
    const queue = owner === undefined ? undefined : queues.get(owner);
    if (owner === undefined || !queue) return;
    owners.delete(item);
    queue.delete(item);
    if (served || queue.size === 0) queues.delete(owner);
    if (served && queue.size > 0) queues.set(owner, queue);
  };

  return {
    add: (item, owner) => {
      owners.set(item, owner);
      const queue = queues.get(owner) ?? new Set();
      queues.set(owner, queue.add(item));
    },
    delete: (item) => remove(item, false),
    serve: (item) => remove(item, true),
    size: () => owners.size,
    first: (may = () => true) => {
      for (const [owner, queue] of queues) {
        const [item] = queue;
        if (item !== undefined && may(owner)) return item;
      }
      return undefined;
    },
  };
};
