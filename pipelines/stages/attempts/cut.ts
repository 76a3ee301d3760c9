import type { Subscriber } from 'rxjs';
import type { Chunk } from '../../model/index.ts';

/** What the head of a source states of its bytes: see `SourceHead`. */
interface Stated {
  readonly from: number;
  readonly last?: number;
  readonly length?: number;
}

/**
 * Passes on the bytes from `first` to `last`; the source's head states the position of its chunks
 * in the whole. Completes at `last` if the source would continue beyond it. If the source ends
 * there, the result waits for the source's own end, so that its connection can be reused.
 */
export const cutTo = (
  out: Pick<Subscriber<Chunk>, 'next' | 'complete'>,
  { from, last: sourceLast, length }: Stated,
  { first, last = Number.POSITIVE_INFINITY }: { readonly first: number; readonly last?: number },
): ((chunk: Chunk) => void) => {
  const continues = last < (sourceLast ?? (length === undefined ? Number.POSITIVE_INFINITY : length - 1));
  let position = from;

  return (chunk) => {
    const { bytes } = chunk;
    const start = Math.max(0, first - position);
    const end = Math.min(bytes.length, last + 1 - position);
    position += bytes.length;
    if (start === 0 && end === bytes.length) out.next(chunk);
    else if (start < end) out.next({ ...chunk, bytes: bytes.subarray(start, end) });
    if (continues && position > last) out.complete();
  };
};
