import type { MonoTypeOperatorFunction } from 'rxjs';
import {
  type Checksum,
  type Chunk,
  type Digest,
  type Head,
  type MakeDigest,
  type Note,
  StreamError,
  type StreamRequest,
} from '../model/index.ts';
import { operate } from '../operators/operate.ts';

/**
 * Digests the body while it passes, whichever sources it came from, and holds back its end: the last chunk leaves only when
 * the whole matches the catalog's checksum. On a mismatch it errors with `WRONG_CHECKSUM` and the end never leaves.
 * The answer to HEAD has no body to check. Holds at most one chunk; where the length is unknown any chunk may be the last, so one is always held.
 */
export const verify = (
  { method }: Pick<StreamRequest, 'method'>,
  { digest: makeDigest }: { digest: MakeDigest },
): MonoTypeOperatorFunction<Head | Chunk | Note> =>
  operate((out) => {
    let head: Head | undefined;
    let digest: Digest | undefined;
    let received = 0;
    let held: Chunk | undefined;

    const release = () => {
      const chunk = held;
      held = undefined;
      if (chunk) out.next(chunk);
    };

    return {
      next: (event) => {
        if (event.type === 'head') {
          head = event;
          const { checksum } = event.candidate.entry;
          if (checksum && !event.verified && method === 'GET') digest = makeDigest(checksum.algorithm);
        }
        if (event.type !== 'chunk' || head?.verified) {
          out.next(event);
          return;
        }
        digest?.update(event.bytes);
        received += event.bytes.length;
        release();
        if (head?.length === undefined || received >= head.length) held = event;
        else out.next(event);
      },
      complete: () => {
        const checksum = head?.candidate.entry.checksum;
        const found = digest?.hex();
        if (head && checksum && found !== undefined && found !== checksum.value)
          throw wrongChecksum(head.candidate.url, checksum, found);
        release();
        out.complete();
      },
    };
  });

export const wrongChecksum = (url: string, { algorithm, value }: Checksum, found: string): StreamError =>
  new StreamError('WRONG_CHECKSUM', 'feed', `${url} has ${algorithm} ${found}, the catalog says ${value}`);
