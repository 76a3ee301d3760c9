import type { Only } from './bucket.ts';

/** What is in the store under a name. */
export interface Seen {
  readonly etag: string;
  /** Whether it is what would be stored. */
  readonly isRight: boolean;
  /** For the log: 'an object of 12 bytes'. */
  readonly what: string;
}

/** An object that is in the store now. `wasThere`: it was stored before, or by another writer at the same time. */
export interface Stored {
  readonly etag: string;
  readonly wasThere: boolean;
}

interface NewObject {
  /** URL of the object, for messages. */
  readonly url: string;
  /** Stores it under a condition. Resolves to its tag; `undefined` if the store says that it does not hold. */
  readonly send: (only?: Only) => Promise<string | undefined>;
  /** What the store has in its place. */
  readonly look: () => Promise<Seen | undefined>;
  /** Called with what was wrong in the store, after it was mended. */
  readonly mended: (what: string) => void;
}

/**
 * Stores an object if there is none. If the store says that there is one, it is looked at: a right one
 * stays. One that is wrong is replaced, unless another writer did that in between. If there is none, the
 * condition was answered wrongly, and the object is stored without it. It is sent twice at the most.
 * Rejects if the store fails, or if the second condition does not hold either.
 */
export const storeNew = async ({ url, send, look, mended }: NewObject): Promise<Stored> => {
  const etag = await send('if-absent');
  if (etag !== undefined) return { etag, wasThere: false };
  const seen = await look();
  if (seen?.isRight) return { etag: seen.etag, wasThere: true };
  const second = await send(seen && { inPlaceOf: seen.etag });
  const found = seen ? `${seen.what} was in its place` : 'the store said that it was there, and it was not';
  if (second === undefined) throw new Error(`${url}: ${found}; another writer has changed it`);
  mended(`${url}: ${found}; it was stored ${seen ? 'instead' : 'without a condition'}`);
  return { etag: second, wasThere: false };
};
