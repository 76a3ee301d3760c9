import { asyncScheduler, type SchedulerLike } from 'rxjs';
import {
  type Candidate,
  type Chunk,
  LOANS,
  type Policy,
  type SourceEvent,
  type SourceHead,
  type StreamRequest,
  stateOf,
} from '../../model/index.ts';
import { type Deadline, deadline } from '../../operators/deadline.ts';
import { operate, type Stage } from '../../operators/operate.ts';
import { type DigestDeps, digested, digestOf, wrongChecksum } from '../verify.ts';
import { hasReliableEnd } from './lengths.ts';

/**
 * A source's head, and whether the body that follows is already verified; otherwise with the state
 * of the content that a checksum will judge (`stateOf`).
 */
export type JudgedHead = SourceHead & { readonly verified: boolean; readonly state?: string };

interface VerifyBeforeHeadDeps extends DigestDeps {
  readonly policy: Pick<Policy, 'verifyWholeBelow' | 'verifyWholeWithin'>;
  readonly scheduler?: SchedulerLike;
}

/**
 * Passes small content only as a whole: head and chunks wait until the digest matches, or until a
 * source that checks its bytes has ended. A wrong file then fails before the head, and costs the
 * client only the time to ask another source. Content of unknown length waits too, if its end
 * differs from that of a source that died; its head then gets the length. An empty body is always
 * checked here, for HEAD too: its head alone ends it.
 *
 * Passes at once, with `verified: false`: larger content, a part, and content of known length
 * without a checksum. Content also passes once it exceeds `verifyWholeBelow` bytes, or has not
 * ended `verifyWholeWithin` milliseconds after its first byte, whatever is missing. The client of a
 * slow source would otherwise give up. Holds at most `verifyWholeBelow` bytes and one chunk.
 */
export const verifyBeforeHead = (
  { method }: Pick<StreamRequest, 'method'>,
  candidate: Candidate,
  { newDigest, mayFallBehind, policy, scheduler = asyncScheduler }: VerifyBeforeHeadDeps,
): Stage<SourceEvent, JudgedHead | Chunk> =>
  operate((out) => {
    const { entry } = candidate;
    const { verifyWholeBelow, verifyWholeWithin } = policy;
    let waiting: SourceHead | undefined;
    let chunks: Chunk[] = [];
    let held = 0;
    let late: Deadline | undefined;

    const mayWait = (head: SourceHead): boolean => {
      // There is no body to wait for, but an empty one is known.
      if (method === 'HEAD') return head.length === 0;
      if (head.status === 304) return false;
      if (head.from > 0 || head.last !== undefined || candidate.unproven) return false;
      const length = head.length ?? entry.size;
      if (length === undefined) return hasReliableEnd(candidate, head);
      return entry.checksum !== undefined && length <= verifyWholeBelow;
    };

    const letGo = (head: JudgedHead, bytes: readonly Chunk[]) => {
      waiting = undefined;
      chunks = [];
      late?.unsubscribe();
      out.next(head);
      for (const chunk of bytes) {
        out.next(chunk);
        LOANS.release(chunk);
      }
    };
    const unverified = (head: SourceHead): JudgedHead =>
      entry.checksum ? { ...head, verified: false, state: stateOf(candidate, head) } : { ...head, verified: false };
    const letGoUnverified = () => {
      if (waiting) letGo(unverified(waiting), chunks);
    };
    out.add(() => chunks.forEach(LOANS.release));

    /** Content that arrives as a whole costs no timer. */
    const limit = ({ length = entry.size }: SourceHead) => {
      if (held !== length) late ??= deadline(out, scheduler, scheduler.now() + verifyWholeWithin, letGoUnverified);
    };

    return {
      next: (event) => {
        if (event.type === 'head') {
          if (mayWait(event)) waiting = event;
          else out.next(unverified(event));
          return;
        }
        if (!waiting) return out.next(event);
        LOANS.retain(event);
        chunks.push(event);
        held += event.bytes.length;
        if (held > verifyWholeBelow) letGoUnverified();
        else limit(waiting);
      },
      complete: () => {
        if (waiting) {
          const digest = digestOf(candidate, waiting, newDigest);
          const right = digest ? chunks.map((chunk) => digested(chunk, digest, mayFallBehind)) : chunks;
          const found = digest?.hex();
          const isWrong = entry.checksum && found !== undefined && found !== entry.checksum.value;
          if (isWrong) throw wrongChecksum([candidate], entry.checksum, found, stateOf(candidate, waiting));
          letGo({ ...waiting, length: held, verified: entry.checksum !== undefined }, right);
        }
        out.complete();
      },
    };
  });
