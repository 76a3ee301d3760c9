import type { Subscriber } from 'rxjs';
import type { Chunk, SourceHead } from '../../model/index.ts';

/**
 * Takes a source's chunks, told by its head where they lie in the whole, and hands on the bytes from `first` to `last`. Completes where the
 * source would go on behind them; where it ends there itself, its own end is waited for, and its connection can be used again.
 */
export const cutTo = (
  out: Subscriber<Chunk>,
  { from, last: told, length }: SourceHead,
  { first, last = Number.POSITIVE_INFINITY }: { readonly first: number; readonly last?: number },
): ((chunk: Chunk) => void) => {
  const goesOn = last < (told ?? (length === undefined ? Number.POSITIVE_INFINITY : length - 1));
  let position = from;

  return (chunk) => {
    const { bytes } = chunk;
    const start = Math.max(0, first - position);
    const end = Math.min(bytes.length, last + 1 - position);
    position += bytes.length;
    if (start === 0 && end === bytes.length) out.next(chunk);
    else if (start < end) out.next({ type: 'chunk', bytes: bytes.subarray(start, end) });
    if (goesOn && position > last) out.complete();
  };
};
