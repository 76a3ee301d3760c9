/** Runs at most `count` pieces of work at a time, in order. Resolves and rejects with the work. */
export type Semaphore = <T>(work: () => Promise<T>) => Promise<T>;

export const createSemaphore = (count: number): Semaphore => {
  const waiting: (() => void)[] = [];
  let free = count;

  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
};
