import { createHash } from 'node:crypto';
import { StreamError } from '../../pipelines/model/errors.ts';
import type { Validators } from '../../pipelines/model/index.ts';
import type { ReadFile } from '../repositories/format.ts';
import type { Roots, StoredRepository } from './stored-repository.ts';

interface RecordedRoots {
  /** Reads as the other one does, and records each file that comes without a checksum, or is missing. */
  readonly read: ReadFile;
  /** `undefined` if a file was not read to its end: its digest is not known. */
  found(): Roots | undefined;
}

/**
 * Milliseconds for which a file has to be as it is before its state counts: its time is in seconds,
 * and it may change again in the same one.
 */
const SETTLED = 60_000;

const isMissing = (error: unknown): boolean =>
  error instanceof StreamError && (error.code === 'SOURCE_MISSING' || error.code === 'SOURCE_REFUSED');

const isSettled = ({ etag, lastModified }: Validators, now: number): boolean =>
  lastModified === undefined ? etag !== undefined : Date.parse(lastModified) + SETTLED <= now;

/**
 * Records the roots of a repository: its files without a checksum, and those that it lists but does
 * not have. All others are named by them, with their checksums. Those that are still in the state that is `known` are not read.
 */
export const recordRoots = (read: ReadFile, known?: Roots): RecordedRoots => {
  const digests: Record<string, string | null> = {};
  const states: Record<string, Validators> = {};
  let open = 0;
  return {
    read: async function* (url, expected) {
      if (expected?.checksum) {
        try {
          return yield* read(url, expected);
        } catch (error) {
          // What it has is certain, but it may come later, though nothing else changes.
          if (isMissing(error)) digests[url] = null;
          throw error;
        }
      }
      const hash = createHash('sha256');
      const unless = known?.states[url];
      let state: Validators = {};
      const found = (now: Validators) => {
        state = now;
      };
      open += 1;
      try {
        for await (const chunk of read(url, expected, { found, ...(unless && { unless }) })) {
          hash.update(chunk);
          yield chunk;
        }
      } catch (error) {
        if (isMissing(error)) {
          digests[url] = null;
          open -= 1;
        }
        throw error;
      }
      digests[url] = unless && state === unless ? (known.digests[url] ?? null) : hash.digest('hex');
      if (isSettled(state, Date.now())) states[url] = state;
      open -= 1;
    },
    found: () => (open === 0 ? { digests, states } : undefined),
  };
};

/**
 * Looks at the roots of a repository again. Resolves to them if each is as it was, otherwise to
 * nothing; also if they are not known, or their signature no longer counts. Rejects as reading does.
 */
export const unchanged = async (
  { roots, signature }: Pick<StoredRepository, 'roots' | 'signature'>,
  read: ReadFile,
  now: () => number = Date.now,
): Promise<Roots | undefined> => {
  if (!roots || (signature?.until !== undefined && signature.until * 1000 <= now())) return undefined;
  const again = recordRoots(read, roots);
  for (const [url, digest] of Object.entries(roots.digests)) {
    try {
      for await (const _ of again.read(url));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    if (again.found()?.digests[url] !== digest) return undefined;
  }
  return again.found();
};
