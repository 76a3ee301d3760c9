import {
  type Candidate,
  type Checksum,
  type ChecksumAlgorithm,
  type Chunk,
  type Digest,
  errorSourceOf,
  type Head,
  type NewDigest,
  type Note,
  type SourceHead,
  StreamError,
  type StreamRequest,
} from '../model/index.ts';
import { operate, type Stage } from '../operators/operate.ts';
import { HeldChunk } from './held-chunk.ts';
import type { Start } from './transfer.ts';

/**
 * Digests the body while it passes, from one source or several, and holds back its end. The last
 * chunk leaves only when the whole matches the catalog's checksum. On a mismatch the end never
 * leaves. A `failed` note then names every source that delivered bytes, and the result errors with
 * `WRONG_CHECKSUM`. With a `start`, its digest covers the earlier bytes.
 *
 * Bytes that their source has checked are not digested. If a source that does not check continues
 * them, its `resumed` note brings the digest of its own bytes up to there.
 *
 * The answer to HEAD has no body to check. A part has no checksum, but its end waits for the
 * source's end too. Holds at most one chunk. If the length is unknown, any chunk may be the last,
 * so one is always held.
 */
export const verify = (
  { method }: Pick<StreamRequest, 'method'>,
  { newDigest, mayFallBehind }: DigestDeps,
  start?: Start,
): Stage<Head | Chunk | Note, Head | Chunk | Note> =>
  operate((out) => {
    const digestFor = (head: Head): Digest | undefined =>
      head.whole && method === 'GET' ? digestOf(head.candidate, head, newDigest) : undefined;
    const digestAt = ({ head, sent, digest }: Start): Digest | undefined => {
      const fresh = digestFor(head);
      if (fresh && !digest && sent > 0) throw new Error('the start has no digest of the bytes already sent');
      // Other clients may continue from the same byte.
      return digest?.copy() ?? fresh;
    };
    let head = start?.head;
    let digest = start && digestAt(start);
    let received = start?.sent ?? 0;
    const held = new HeldChunk(out);
    let contributors: readonly Candidate[] = start ? [start.head.candidate] : NO_ONE;
    const contributed = (candidate: Candidate) => {
      if (!contributors.includes(candidate)) contributors = [...contributors, candidate];
    };

    return {
      next: (event) => {
        if (event.type === 'resumed') {
          if (event.digest) {
            // It covers no byte of the others.
            contributors = NO_ONE;
            digest = event.digest;
          }
          contributed(event.candidate);
        }
        if (event.type === 'head') {
          head = event;
          contributed(event.candidate);
          if (!event.verified) digest = digestFor(event);
        }
        if (event.type !== 'chunk' || (head?.verified && !start)) {
          out.next(event);
          return;
        }
        // It is not the proof that more bytes follow, so it must not release those that are held.
        if (event.bytes.length === 0) return;
        const chunk = digest ? digested(event, digest, mayFallBehind) : event;
        received += event.bytes.length;
        held.pass();
        if (head?.length === undefined || received >= head.length) held.hold(chunk);
        else out.next(chunk);
      },
      complete: () => {
        const checksum = head?.candidate.entry.checksum;
        const found = digest?.hex();
        if (head && checksum && found !== undefined && found !== checksum.value) {
          const state = contributors.length === 1 && contributors[0] === head.candidate ? head.state : undefined;
          const error = wrongChecksum(contributors, checksum, found, state);
          // The wrong bytes cannot be traced to one source, so every contributor is named.
          for (const candidate of contributors)
            out.next({ type: 'failed', candidate, error, phase: 'mid-body', sent: received });
          throw error;
        }
        held.pass();
        out.complete();
      },
    };
  });

const NO_ONE: readonly Candidate[] = [];

/**
 * The algorithm of the digest that a source's whole content needs. None if the catalog has no
 * checksum, if the source checks its bytes, or if its bytes need no proof.
 */
export const algorithmFor = (
  { entry: { checksum }, unproven }: Candidate,
  { checked }: Pick<SourceHead, 'checked'>,
): ChecksumAlgorithm | undefined => (checked || unproven ? undefined : checksum?.algorithm);

/** The digest that a source's whole content needs. */
export const digestOf = (
  candidate: Candidate,
  head: Pick<SourceHead, 'checked'>,
  newDigest: NewDigest,
): Digest | undefined => {
  const algorithm = algorithmFor(candidate, head);
  return algorithm && newDigest(algorithm);
};

export interface DigestDeps {
  readonly newDigest: NewDigest;
  /** Called for each chunk: whether it must carry its digest. */
  readonly mayFallBehind?: () => boolean;
}

/**
 * Adds a chunk to the digest. If a client may continue alone from here, the chunk carries a copy of
 * it.
 */
export const digested = (chunk: Chunk, digest: Digest, mayFallBehind?: () => boolean): Chunk => {
  digest.update(chunk.bytes);
  return mayFallBehind?.() ? { ...chunk, digest: digest.copy() } : chunk;
};

/** The error for sources whose combined bytes do not match the checksum in the catalog. */
export const wrongChecksum = (
  sources: readonly Candidate[],
  { algorithm, value }: Checksum,
  found: string,
  state?: string,
): StreamError => {
  const urls = sources.map(({ url }) => url).join(' and ');
  const source = sources.some((candidate) => errorSourceOf(candidate) === 'feed') ? 'feed' : 'disk';
  const have = sources.length > 1 ? 'together have' : 'has';
  const message = `${urls} ${have} ${algorithm} ${found}, but the catalog lists ${value}`;
  return new StreamError('WRONG_CHECKSUM', source, message, { state });
};
