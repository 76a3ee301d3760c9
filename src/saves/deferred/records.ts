/** The part of a MongoDB collection that dispatchers need, as in the driver's `Collection`. */
export interface Records {
  updateOne(filter: object, update: object, options?: { readonly upsert?: boolean }): Promise<unknown>;
}

/** MongoDB's code for a duplicate key in a unique index. */
const DUPLICATE = 11_000;

/**
 * Resolves to whether the document was written; `false` if it existed already. Of two simultaneous
 * upserts, both may find no document. The slower one then meets the unique index.
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
