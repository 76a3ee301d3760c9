import { ShortLivedSet } from '../../pipelines/operators/short-lived-set.ts';

/** Runs at most `count` pieces of work at a time, in order. Resolves and rejects with the work. */
export type Semaphore = <T>(work: () => Promise<T>) => Promise<T>;

export const createSemaphore = (count: number): Semaphore => {
  // A set: thousands can wait, and taking the first of an array moves all others.
  const waiting = new ShortLivedSet<() => void>();
  let free = count;

  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.add(resolve));
    try {
      return await work();
    } finally {
      const [next] = waiting;
      if (next) {
        waiting.delete(next);
        next();
      } else free += 1;
    }
  };
};
