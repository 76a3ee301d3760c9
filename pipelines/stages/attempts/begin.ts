import {
  type Candidate,
  type Chunk,
  type Conditions,
  errorSourceOf,
  type Head,
  holds,
  judge,
  type Part,
  type Policy,
  resolveRange,
  StreamError,
  type StreamRequest,
} from '../../model/index.ts';
import { operate, type Stage } from '../../operators/operate.ts';
import { clientHead, unchangedHead } from '../client-head.ts';
import { HeldChunk } from '../held-chunk.ts';
import { cutTo } from './cut.ts';
import { validatorsOf } from './open-unless.ts';
import type { JudgedHead } from './verify-before-head.ts';
import type { Wanted } from './wanted.ts';

/**
 * Begins the response with the answer of the first source: its head becomes the client's, and the
 * requested bytes pass. If the request's conditions decide so, the head is a `304` or `412`, and
 * the result completes at once.
 *
 * The head waits until a byte can leave with it. A source that fails before can still be replaced,
 * also one without a checksum, and head and body are of the same source. `verify` holds back a
 * chunk that may be the last one, so the head waits for the chunk after it, or for the end. Holds
 * at most one chunk. The head of an answer to HEAD, and of verified content, does not wait.
 *
 * Errors with `UNSATISFIABLE` if the content lacks all of the bytes, and with `NO_RANGE` if the
 * source starts after the requested byte. Errors with `LENGTH_UNKNOWN` if the request needs the
 * length and the source does not send it.
 */
export const begin = (
  request: StreamRequest,
  candidate: Candidate,
  wanted: Wanted,
  policy: Pick<Policy, 'cacheTimeout'>,
): Stage<JudgedHead | Chunk, Head | Chunk> =>
  operate((out) => {
    const { entry } = candidate;
    let take: ((chunk: Chunk) => void) | undefined;
    /** The head, and a chunk that `verify` would hold back. */
    let waiting: Head | undefined;
    const held = new HeldChunk(out);

    const leave = () => {
      const head = waiting;
      waiting = undefined;
      if (head) out.next(head);
      held.pass();
    };
    const body = {
      next: (chunk: Chunk) => {
        const mayBeLast = waiting && (waiting.length === undefined || chunk.bytes.length >= waiting.length);
        if (mayBeLast && !held.isThere()) return held.hold(chunk);
        if (waiting) leave();
        out.next(chunk);
      },
      complete: () => {
        leave();
        out.complete();
      },
    };

    return {
      next: (event) => {
        if (event.type === 'chunk') {
          if (event.bytes.length > 0) take?.(event);
          return;
        }
        const validators = validatorsOf(candidate, event);
        const verdict = judge(candidate.outdated ? preconditions(request) : (request.conditions ?? {}), validators);
        if (verdict) {
          out.next({ ...unchangedHead(verdict, candidate, validators, policy), sourceStatus: event.status });
          return out.complete();
        }
        if (wanted.range && event.from > 0 && event.from === event.length) throw unsatisfiable(candidate, event.length);
        const part = partOf(event, candidate, holds(wanted.ifRange, validators) ? wanted : {});
        if (request.lengthRequired && request.method === 'GET' && (event.length ?? entry.size) === undefined)
          throw new StreamError(
            'LENGTH_UNKNOWN',
            errorSourceOf(candidate),
            `${candidate.url} sent no length, but the client needs one`,
          );
        const head = clientHead(event, candidate, policy, part);
        take = cutTo(body, event, part ?? { first: 0 });
        if (event.verified || request.method === 'HEAD') out.next(head);
        else waiting = head;
      },
      complete: body.complete,
    };
  });

/** A `304` must not confirm outdated content: only the conditions of a `412` count. */
const preconditions = ({ conditions: { ifMatch, ifUnmodifiedSince } = {} }: StreamRequest): Conditions => ({
  ifMatch,
  ifUnmodifiedSince,
});

const unsatisfiable = (candidate: Candidate, length: number): StreamError =>
  new StreamError('UNSATISFIABLE', errorSourceOf(candidate), `${candidate.url} has only ${length} bytes`, { length });

/**
 * The part of the content to send, or undefined for the whole. The whole is sent if the bounds of a
 * range are unknown, or if the content is empty, since `Content-Range` cannot state an empty part.
 */
const partOf = (head: JudgedHead, candidate: Candidate, { range }: Wanted): Part | undefined => {
  const total = head.length ?? candidate.entry.size;
  const part = range && total !== undefined ? resolveRange(range, total) : undefined;
  if (range && total && !part) throw unsatisfiable(candidate, total);
  const first = part?.first ?? 0;
  if (head.from > first)
    throw new StreamError(
      'NO_RANGE',
      errorSourceOf(candidate),
      `${candidate.url} starts at byte ${head.from}, not at ${first}`,
    );
  return part;
};
