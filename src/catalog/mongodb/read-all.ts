import type { Document, FindCursor } from 'mongodb';

/** Documents that are asked for, and held, at a time. */
const BATCH = 1_000;

/** The documents of a query, a batch at a time: each is waited for as long as an answer may take. */
export async function* readAll<D extends Document, C>(
  ask: <T>(question: (database: C) => Promise<T>) => Promise<T>,
  find: (database: C) => FindCursor<D>,
): AsyncGenerator<D> {
  const cursor = await ask(async (database) => find(database).batchSize(BATCH));
  try {
    while (await ask(() => cursor.hasNext())) yield* cursor.readBufferedDocuments();
  } finally {
    await cursor.close();
  }
}
