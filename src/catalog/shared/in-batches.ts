import type { Collection, Filter } from 'mongodb';
import { batchesOf } from '../../lib/batches-of.ts';

/** Documents that are read, or written, in one step. */
export const BATCH = 1_000;

/** Values in arrays of at most `BATCH`. */
export const inBatches = <T>(values: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T[]> => batchesOf(values, BATCH);

interface WithId {
  readonly _id: string | number;
}

/** Removes documents in steps, since one for all could take longer than any time-out. Returns their number. */
export const removeAll = async <D extends WithId>(
  collection: Collection<D>,
  filter: object,
  between: () => Promise<void> = async () => {},
): Promise<number> => {
  let removed = 0;
  for (;;) {
    const found = await collection
      .find(filter as Filter<D>, { projection: { _id: 1 } })
      .limit(BATCH)
      .toArray();
    if (found.length === 0) return removed;
    await collection.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } } as unknown as Filter<D>);
    removed += found.length;
    await between();
  }
};
