import {
  type ByteRange,
  type Chunk,
  errorSourceOf,
  field,
  type Head,
  holds,
  isSmall,
  type Part,
  type Policy,
  resolveRange,
  StreamError,
} from '../model/index.ts';
import { operate, type Stage } from '../operators/operate.ts';
import { cutTo } from './attempts/cut.ts';
import { partHead } from './client-head.ts';
import { HeldChunk } from './held-chunk.ts';
import type { TransferEvent } from './transfer.ts';

/**
 * Cuts a range from a transfer of the whole, while `ifRange` holds. A head that is not of the whole,
 * or has no length, passes with its body.
 *
 * The last bytes of a part of small content wait until the whole has ended. A part of larger content
 * completes with its last byte, and leaves the source. Errors with `UNSATISFIABLE` if the content
 * lacks all of the bytes. Holds at most one chunk.
 */
export const cutPart = (
  range: ByteRange,
  ifRange: string | undefined,
  policy: Pick<Policy, 'verifyWholeBelow'>,
): Stage<TransferEvent, TransferEvent> =>
  operate((out) => {
    let take: ((chunk: Chunk) => void) | undefined;
    const held = new HeldChunk(out);

    /** Passes all but the last bytes, which wait for the end of the whole. */
    const holding = (length: number) => {
      let left = length;
      return {
        next: (chunk: Chunk) => {
          left -= chunk.bytes.length;
          if (left > 0) out.next(chunk);
          else held.hold(chunk);
        },
        complete: () => {},
      };
    };

    return {
      next: (event) => {
        if (event.type === 'chunk') {
          if (take) take(event);
          else out.next(event);
          return;
        }
        const part = event.type === 'head' ? partIn(event, range, ifRange) : undefined;
        if (event.type !== 'head' || !part) return out.next(event);
        const head = partHead(event, part);
        const { entry } = head.candidate;
        const sink = isSmall({ ...entry, size: head.total }, policy) ? holding(part.last - part.first + 1) : out;
        take = cutTo(sink, { from: 0, length: event.length }, part);
        out.next(head);
      },
      complete: () => {
        held.pass();
        out.complete();
      },
    };
  });

/** The part of the content with this head that is sent. Undefined if the whole is. */
const partIn = (head: Head, range: ByteRange, ifRange: string | undefined): Part | undefined => {
  const { status, total, headers, candidate } = head;
  const validators = { etag: field(headers, 'etag'), lastModified: field(headers, 'last-modified') };
  if (status !== 200 || !total || !holds(ifRange, validators)) return undefined;
  const part = resolveRange(range, total);
  if (part) return part;
  const what = `${candidate.url} has only ${total} bytes`;
  throw new StreamError('UNSATISFIABLE', errorSourceOf(candidate), what, { length: total });
};
