import {
  type Candidate,
  type Chunk,
  type Digest,
  errorSourceOf,
  isSame,
  mayContinue,
  type NewDigest,
  type Note,
  type SourceEvent,
  type SourceHead,
  StreamError,
} from '../../model/index.ts';
import { operate, type Stage } from '../../operators/operate.ts';
import { digestOf } from '../verify.ts';
import { cutTo } from './cut.ts';
import type { ResponseSoFar } from './progress.ts';

/**
 * Joins a source's bytes to a response that has reached body byte `sent`. The head is checked and
 * dropped. Bytes that the client has already, or did not request, are skipped; the rest pass. Emits
 * a `resumed` note in place of the head. Errors if the source cannot be proven to hold the same
 * content, or starts at the wrong byte. Bytes of one file never follow those of another.
 *
 * With `newDigest`, the bytes so far have no digest, because their sources checked them. A source
 * that does not must then start over: the bytes that are skipped are digested, and the note comes
 * after them, with the digest.
 */
export const resume = (
  candidate: Candidate,
  soFar: ResponseSoFar,
  sent: number,
  newDigest?: NewDigest,
): Stage<SourceEvent, Chunk | Note> =>
  operate((out) => {
    const first = soFar.first + sent;
    let take: ((chunk: Chunk) => void) | undefined;
    let digest: Digest | undefined;
    /** Bytes of the source that the digest lacks; undefined once the body is resumed. */
    let missing: number | undefined;

    const resumed = () => {
      missing = undefined;
      out.next({ type: 'resumed', candidate, from: first, ...(digest && { digest }) });
    };

    return {
      next: (event) => {
        if (event.type === 'chunk') {
          if (missing !== undefined) {
            const skipped = event.bytes.subarray(0, missing);
            digest?.update(skipped);
            missing -= skipped.length;
            if (skipped.length < event.bytes.length) resumed();
          }
          return take?.(event);
        }
        digest = newDigest && soFar.whole ? digestOf(candidate, event, newDigest) : undefined;
        judge(event, candidate, soFar, digest ? 0 : first);
        take = cutTo(out, event, { first, last: soFar.last });
        if (digest) missing = first;
        else resumed();
      },
    };
  });

/** Errors unless the source's bytes from `first` on may follow, or it starts at its first byte. */
const judge = (head: SourceHead, candidate: Candidate, soFar: ResponseSoFar, first: number): void => {
  const { url, entry } = candidate;
  const fail = (code: 'WRONG_LENGTH' | 'CHANGED' | 'NO_RANGE', message: string) => {
    throw new StreamError(code, errorSourceOf(candidate), `${url} ${message}`);
  };
  if (soFar.total !== undefined && head.length !== undefined && soFar.total !== head.length)
    fail('WRONG_LENGTH', `has ${head.length} bytes, but ${soFar.total} were promised`);

  const sameSource = isSame(candidate, soFar.candidate);
  if (sameSource && soFar.etag !== undefined && head.etag !== undefined && soFar.etag !== head.etag)
    fail('CHANGED', `changed from ${soFar.etag} to ${head.etag}`);
  // Without a checksum for the whole, the source must repeat its strong entity tag.
  const proven = mayContinue(candidate, soFar) && ((entry.checksum && soFar.whole) || soFar.etag === head.etag);
  if (!proven) fail('CHANGED', 'cannot be proven to be the same content: neither checksum nor strong entity tag');

  if (head.from !== first && head.from !== 0) fail('NO_RANGE', `starts at byte ${head.from}, not at ${first}`);
};
