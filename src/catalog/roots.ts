import { createHash } from 'node:crypto';
import { StreamError } from '../../pipelines/model/errors.ts';
import type { ReadFile } from '../repositories/format.ts';

/** The SHA-256 of files by URL; `null` for one that does not exist. */
export type Roots = Readonly<Record<string, string | null>>;

interface RecordedRoots {
  /** Reads as the other one does, and records the digest of each file that comes without a checksum. */
  readonly read: ReadFile;
  /** `undefined` if a file was not read to its end: its digest is not known. */
  found(): Roots | undefined;
}

const isMissing = (error: unknown): boolean =>
  error instanceof StreamError && (error.code === 'SOURCE_MISSING' || error.code === 'SOURCE_REFUSED');

/**
 * Records the roots of a repository: its files without a checksum. All others are named by them,
 * with their checksums.
 */
export const recordRoots = (read: ReadFile): RecordedRoots => {
  const roots: Record<string, string | null> = {};
  let open = 0;
  return {
    read: async function* (url, expected) {
      if (expected?.checksum) return yield* read(url, expected);
      const hash = createHash('sha256');
      open += 1;
      try {
        for await (const chunk of read(url, expected)) {
          hash.update(chunk);
          yield chunk;
        }
      } catch (error) {
        if (isMissing(error)) {
          roots[url] = null;
          open -= 1;
        }
        throw error;
      }
      roots[url] = hash.digest('hex');
      open -= 1;
    },
    found: () => (open === 0 ? roots : undefined),
  };
};

/** Reads the roots again. Resolves to whether each is as it was. Rejects as reading does. */
export const areUnchanged = async (roots: Roots, read: ReadFile): Promise<boolean> => {
  for (const [url, digest] of Object.entries(roots)) {
    const again = recordRoots(read);
    try {
      for await (const _ of again.read(url));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    if (again.found()?.[url] !== digest) return false;
  }
  return true;
};
