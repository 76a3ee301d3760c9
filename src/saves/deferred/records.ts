/** As much of a MongoDB collection as dispatchers need: the driver's `Collection` is one. */
export interface Records {
  updateOne(filter: object, update: object, options?: { readonly upsert?: boolean }): Promise<unknown>;
}

/** MongoDB's code for a document that a unique index has already. */
const DUPLICATE = 11_000;

/**
 * Resolves to whether the document was written; `false`: there is one already. Two upserts at the same time may both find nothing, and
 * the slower one then meets the unique index.
 */
export const unlessThere = (writing: Promise<unknown>): Promise<boolean> =>
  writing.then(
    () => true,
    (error: unknown) => {
      if (isDuplicate(error)) return false;
      throw error;
    },
  );

/** The driver's error may be the cause of another one. */
const isDuplicate = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  (('code' in error && error.code === DUPLICATE) || ('cause' in error && isDuplicate(error.cause)));
