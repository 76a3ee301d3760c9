import type { OperatorFunction } from 'rxjs';
import type { Candidate, Chunk, SourceEvent, SourceHead } from '../model/index.ts';
import { operate } from '../operators/operate.ts';
import { type DigestDeps, digested, wrongChecksum } from './verify.ts';

/** A source's head, and whether the body that follows is already known to be right. */
export type JudgedHead = SourceHead & { readonly verified: boolean };

/**
 * Lets small content pass only as a whole: head and chunks wait until the digest matches, so a wrong file fails before the
 * head and costs the client nothing but the time to ask another source. Larger content, and content without a checksum or
 * a known length, passes at once with `verified: false`. An empty body is always checked here: its head alone ends it.
 * Holds at most `limit` bytes.
 */
export const verifyWhole = (
  candidate: Candidate,
  limit: number,
  { digest: makeDigest, company }: DigestDeps,
): OperatorFunction<SourceEvent, JudgedHead | Chunk> =>
  operate((out) => {
    const { entry } = candidate;
    let waiting: SourceHead | undefined;
    const chunks: Chunk[] = [];

    return {
      next: (event) => {
        if (event.type === 'chunk') {
          if (waiting) chunks.push(event);
          else out.next(event);
          return;
        }
        const length = event.length ?? entry.size;
        if (entry.checksum && length !== undefined && length <= limit) waiting = event;
        else out.next({ ...event, verified: false });
      },
      complete: () => {
        if (waiting && entry.checksum) {
          const digest = makeDigest(entry.checksum.algorithm);
          const right = chunks.map((chunk) => digested(chunk, digest, company));
          const found = digest.hex();
          if (found !== entry.checksum.value) throw wrongChecksum([candidate], entry.checksum, found);
          out.next({ ...waiting, verified: true });
          for (const chunk of right) out.next(chunk);
        }
        out.complete();
      },
    };
  });
