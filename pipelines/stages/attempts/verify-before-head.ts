import { asyncScheduler, type OperatorFunction, type SchedulerLike } from 'rxjs';
import type { Candidate, Chunk, Policy, SourceEvent, SourceHead, StreamRequest } from '../../model/index.ts';
import { operate } from '../../operators/operate.ts';
import { type DigestDeps, digested, wrongChecksum } from '../verify.ts';
import { endsByItself } from './lengths.ts';

/** A source's head, and whether the body that follows is already known to be right. */
export type JudgedHead = SourceHead & { readonly verified: boolean };

interface VerifyWholeDeps extends DigestDeps {
  readonly policy: Pick<Policy, 'verifyWholeBelow' | 'verifyWholeWithin'>;
  readonly scheduler?: SchedulerLike;
}

/**
 * Lets small content pass only as a whole: head and chunks wait until the digest matches, so a wrong file fails before the
 * head and costs the client nothing but the time to ask another source. Content of unknown length waits too if its end can be told from
 * a source that died: its head then says how long it is. An empty body is always checked here: its head alone ends it.
 *
 * Passes at once, with `verified: false`: content that is larger, a part, and content of known length without a checksum. What turns out larger
 * than `verifyWholeBelow` bytes while it waits, or has not ended `verifyWholeWithin` milliseconds after its first byte, passes from then on:
 * a client of a slow source would give up otherwise. Holds at most so many bytes, and a chunk.
 */
export const verifyBeforeHead = (
  { method }: Pick<StreamRequest, 'method'>,
  candidate: Candidate,
  { newDigest, mayFallBehind, policy, scheduler = asyncScheduler }: VerifyWholeDeps,
): OperatorFunction<SourceEvent, JudgedHead | Chunk> =>
  operate((out) => {
    const { entry } = candidate;
    const { verifyWholeBelow, verifyWholeWithin } = policy;
    let waiting: SourceHead | undefined;
    let chunks: Chunk[] = [];
    let held = 0;
    let since: number | undefined;

    const lengthOf = (head: SourceHead) => head.length ?? entry.size;

    const mayWait = (head: SourceHead): boolean => {
      if (method !== 'GET' || head.from > 0 || head.last !== undefined) return false;
      const length = lengthOf(head);
      if (length === undefined) return endsByItself(candidate, head);
      return entry.checksum !== undefined && length <= verifyWholeBelow;
    };

    const letGo = (head: JudgedHead, bytes: readonly Chunk[]) => {
      waiting = undefined;
      chunks = [];
      out.next(head);
      for (const chunk of bytes) out.next(chunk);
    };

    /** The source's end is all that is missing, or there is room and time for more. */
    const mayWaitOn = (head: SourceHead): boolean => {
      since ??= scheduler.now();
      return held === lengthOf(head) || (held <= verifyWholeBelow && scheduler.now() - since < verifyWholeWithin);
    };

    return {
      next: (event) => {
        if (event.type === 'head') {
          if (mayWait(event)) waiting = event;
          else out.next({ ...event, verified: false });
          return;
        }
        if (!waiting) return out.next(event);
        chunks.push(event);
        held += event.bytes.length;
        if (!mayWaitOn(waiting)) letGo({ ...waiting, verified: false }, chunks);
      },
      complete: () => {
        if (waiting) {
          const digest = entry.checksum && newDigest(entry.checksum.algorithm);
          const right = digest ? chunks.map((chunk) => digested(chunk, digest, mayFallBehind)) : chunks;
          const found = digest?.hex();
          if (entry.checksum && found !== undefined && found !== entry.checksum.value)
            throw wrongChecksum([candidate], entry.checksum, found);
          letGo({ ...waiting, length: held, verified: found !== undefined }, right);
        }
        out.complete();
      },
    };
  });
