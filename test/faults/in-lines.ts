/** Works through a list with so many hands. */
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
