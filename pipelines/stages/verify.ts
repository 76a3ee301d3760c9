import type { MonoTypeOperatorFunction } from 'rxjs';
import {
  type Candidate,
  type Checksum,
  type Chunk,
  type Digest,
  errorSourceOf,
  type Head,
  type NewDigest,
  type Note,
  StreamError,
  type StreamRequest,
} from '../model/index.ts';
import { operate } from '../operators/operate.ts';
import type { Start } from './transfer.ts';

/**
 * Digests the body while it passes, whichever sources it came from, and holds back its end: the last chunk leaves only when
 * the whole matches the catalog's checksum. On a mismatch the end never leaves: every source that gave bytes is named in a `failed`
 * note, and the result errors with `WRONG_CHECKSUM`. From a start on, what came before counts by its digest.
 * The answer to HEAD has no body to check, and a part nothing to check it against: its end waits for the source's all the same. Holds at most one chunk; where the length is unknown any chunk may be the last, so one is always held.
 */
export const verify = (
  { method }: Pick<StreamRequest, 'method'>,
  { newDigest, mayFallBehind }: DigestDeps,
  start?: Start,
): MonoTypeOperatorFunction<Head | Chunk | Note> =>
  operate((out) => {
    const digestFor = ({ candidate, whole }: Head): Digest | undefined => {
      const { checksum } = candidate.entry;
      return checksum && whole && method === 'GET' ? newDigest(checksum.algorithm) : undefined;
    };
    const digestAt = ({ head, sent, digest }: Start): Digest | undefined => {
      const fresh = digestFor(head);
      if (fresh && !digest && sent > 0) throw new Error('the digest of what was sent before is missing');
      // Others may go on from the same byte.
      return digest?.copy() ?? fresh;
    };
    let head = start?.head;
    let digest = start && digestAt(start);
    let received = start?.sent ?? 0;
    let held: Chunk | undefined;
    const contributors = new Set(start ? [start.head.candidate] : []);

    const release = () => {
      const chunk = held;
      held = undefined;
      if (chunk) out.next(chunk);
    };

    return {
      next: (event) => {
        if (event.type === 'resumed') contributors.add(event.candidate);
        if (event.type === 'head') {
          head = event;
          contributors.add(event.candidate);
          if (!event.verified) digest = digestFor(event);
        }
        if (event.type !== 'chunk' || (head?.verified && !start)) {
          out.next(event);
          return;
        }
        const chunk = digest ? digested(event, digest, mayFallBehind) : event;
        received += event.bytes.length;
        release();
        if (head?.length === undefined || received >= head.length) held = chunk;
        else out.next(chunk);
      },
      complete: () => {
        const checksum = head?.candidate.entry.checksum;
        const found = digest?.hex();
        if (head && checksum && found !== undefined && found !== checksum.value) {
          const error = wrongChecksum([...contributors], checksum, found);
          // Nobody can tell whose bytes were wrong: all who gave some are named.
          for (const candidate of contributors)
            out.next({ type: 'failed', candidate, error, phase: 'mid-body', sent: received });
          throw error;
        }
        release();
        out.complete();
      },
    };
  });

export interface DigestDeps {
  readonly newDigest: NewDigest;
  /** Whether a chunk is to come with its digest, asked for each. */
  readonly mayFallBehind?: () => boolean;
}

/** Counts a chunk in; it comes with the digest so far where somebody may have to go on from it. */
export const digested = (chunk: Chunk, digest: Digest, mayFallBehind?: () => boolean): Chunk => {
  digest.update(chunk.bytes);
  return mayFallBehind?.() ? { ...chunk, digest: digest.copy() } : chunk;
};

/** What to say of sources whose bytes, taken together, are not the content that the catalog knows. */
export const wrongChecksum = (
  sources: readonly Candidate[],
  { algorithm, value }: Checksum,
  found: string,
): StreamError => {
  const urls = sources.map(({ url }) => url).join(' and ');
  const source = sources.some((candidate) => errorSourceOf(candidate) === 'feed') ? 'feed' : 'disk';
  return new StreamError('WRONG_CHECKSUM', source, `${urls} has ${algorithm} ${found}, the catalog says ${value}`);
};
