/** Processes a list with a limited number of workers. */
export const inLines = async <T>(
  hands: number,
  list: IterableIterator<T>,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  await Promise.all(
    Array.from({ length: hands }, async () => {
      for (const item of list) await work(item);
    }),
  );
};
