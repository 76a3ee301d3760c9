import {
  type Candidate,
  errorSourceOf,
  field,
  type SourceEvent,
  type SourceHead,
  StreamError,
  type StreamRequest,
} from '../../model/index.ts';
import { operate, type Stage } from '../../operators/operate.ts';
import { isCoded, wrongCoding } from './decodes.ts';
import { type JudgeHeadDeps, judgeHead } from './judge-head.ts';

/**
 * Enforces the lengths that the source and the catalog state. A head is judged first (`judgeHead`).
 * A body that ends early fails with `SHORT_BODY`. A body that runs on is cut if a checksum judges
 * the rest; otherwise it fails with `WRONG_LENGTH`. If a source sends no length, `promised` counts,
 * if given. Content beyond `sizeLimit` bytes (0: no limit) fails with `TOO_LARGE`.
 *
 * An answer to HEAD has no body to measure. All other events pass. Positions are bytes of the whole
 * content, so a body that starts later is measured in the same way.
 */
export const enforceLength = (
  { method }: Pick<StreamRequest, 'method'>,
  candidate: Candidate,
  deps: JudgeHeadDeps,
  promised?: number,
): Stage<SourceEvent, SourceEvent> =>
  operate((out) => {
    const { entry, url } = candidate;
    const { sizeLimit } = deps.policy;
    const fail = (code: 'WRONG_LENGTH' | 'SHORT_BODY' | 'TOO_LARGE', what: string) =>
      new StreamError(code, errorSourceOf(candidate), `${url} ${what}`);
    let position = 0;
    /** The end of the source's bytes. */
    let end: number | undefined;
    /** A head after whose body it is certain that nothing is missing, but perhaps encoded. */
    let coded: SourceHead | undefined;

    return {
      next: (event) => {
        if (event.type === 'head') {
          judgeHead(candidate, event, deps);
          position = event.from;
          if (isCoded(candidate, event) && field(event.headers, 'transfer-encoding') !== undefined) coded = event;
          const total = event.length ?? entry.size ?? promised;
          if (method === 'GET') end = event.last === undefined ? total : event.last + 1;
          out.next(event);
          return;
        }
        if (sizeLimit > 0 && position + event.bytes.length > sizeLimit)
          throw fail('TOO_LARGE', `sent more than the limit of ${sizeLimit} bytes`);
        const room = (end ?? Number.POSITIVE_INFINITY) - position;
        position += event.bytes.length;
        if (event.bytes.length <= room) {
          out.next(event);
          return;
        }
        if (entry.checksum === undefined) throw fail('WRONG_LENGTH', `sent more than the expected ${end} bytes`);
        if (room > 0) out.next({ ...event, bytes: event.bytes.subarray(0, room) });
        out.complete();
      },
      complete: () => {
        if (position < (end ?? 0))
          throw coded ? wrongCoding(candidate, coded) : fail('SHORT_BODY', `ended after ${position} of ${end} bytes`);
        out.complete();
      },
    };
  });
