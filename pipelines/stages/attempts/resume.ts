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
import { matches, type Tail } from '../boundary.ts';
import { digestOf } from '../verify.ts';
import { cutTo } from './cut.ts';
import type { Progress, ResponseSoFar } from './progress.ts';

/**
 * Joins a source's bytes to a response that has reached body byte `sent`. The head is checked and
 * dropped. Bytes that the client has already, or did not request, are skipped; the rest pass. Emits
 * a `resumed` note in place of the head. Errors if the source cannot be proven to hold the same
 * content, or starts at the wrong byte. Bytes of one file never follow those of another.
 *
 * A part has no digest. A source that does not continue its own bytes under the same strong entity
 * tag must first repeat the `tail` of the part.
 *
 * If the bytes so far are `undigested`, because their sources checked them, a source that does not
 * check must start over: the bytes that are skipped are digested. The note comes after the skipped
 * bytes, with the digest.
 */
export const resume = (
  candidate: Candidate,
  soFar: ResponseSoFar,
  { sent, undigested, tail }: Pick<Progress, 'sent' | 'undigested' | 'tail'>,
  newDigest: NewDigest,
): Stage<SourceEvent, Chunk | Note> =>
  operate((out) => {
    const first = soFar.first + sent;
    let take: ((chunk: Chunk) => void) | undefined;
    let digest: Digest | undefined;
    /** The bytes that the source must repeat. */
    let repeated: Tail | undefined;
    /** Bytes of the source before those that are new; undefined once the body is resumed. */
    let missing: number | undefined;

    const resumed = () => {
      missing = undefined;
      out.next({ type: 'resumed', candidate, from: first, ...(digest && { digest }) });
    };
    const examine = (skipped: Uint8Array, left: number) => {
      digest?.update(skipped);
      if (!repeated) return;
      const at = repeated.length - left;
      if (!matches(repeated, Math.max(0, at), skipped.subarray(Math.max(0, -at))))
        throw failure(candidate, 'CHANGED', 'has other bytes than those that were already sent');
    };

    return {
      next: (event) => {
        if (event.type === 'chunk') {
          if (missing !== undefined) {
            const skipped = event.bytes.subarray(0, missing);
            examine(skipped, missing);
            missing -= skipped.length;
            if (skipped.length < event.bytes.length) resumed();
          }
          return take?.(event);
        }
        digest = undigested && soFar.whole ? digestOf(candidate, event, newDigest) : undefined;
        const isUnchanged = isSame(candidate, soFar.candidate) && soFar.etag !== undefined;
        repeated = isUnchanged ? undefined : tail;
        judge(
          event,
          candidate,
          soFar,
          digest ? 0 : first - (repeated?.length ?? 0),
          sent === 0 || repeated !== undefined,
        );
        take = cutTo(out, event, { first, last: soFar.last });
        if (digest || repeated) missing = first - event.from;
        else resumed();
      },
    };
  });

/**
 * Errors unless the source's bytes from `first` on may follow, or it starts at its first byte. A
 * part may follow from another source if it `repeats`.
 */
const judge = (head: SourceHead, candidate: Candidate, soFar: ResponseSoFar, first: number, repeats: boolean): void => {
  const { entry } = candidate;
  if (soFar.total !== undefined && head.length !== undefined && soFar.total !== head.length)
    throw failure(candidate, 'WRONG_LENGTH', `has ${head.length} bytes, but ${soFar.total} were promised`);

  const sameSource = isSame(candidate, soFar.candidate);
  if (sameSource && soFar.etag !== undefined && head.etag !== undefined && soFar.etag !== head.etag)
    throw failure(candidate, 'CHANGED', `changed from ${soFar.etag} to ${head.etag}`);
  // Without a checksum, the source must repeat its strong entity tag.
  const proven =
    mayContinue(candidate, soFar) && ((entry.checksum && (soFar.whole || repeats)) || soFar.etag === head.etag);
  if (!proven)
    throw failure(
      candidate,
      'CHANGED',
      'cannot be proven to be the same content: neither checksum nor strong entity tag',
    );

  if (head.from !== first && head.from !== 0)
    throw failure(candidate, 'NO_RANGE', `starts at byte ${head.from}, not at ${first}`);
};

const failure = (candidate: Candidate, code: 'WRONG_LENGTH' | 'CHANGED' | 'NO_RANGE', what: string): StreamError =>
  new StreamError(code, errorSourceOf(candidate), `${candidate.url} ${what}`);
