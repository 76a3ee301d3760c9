import type { Chunk, Head, Part } from '../model/index.ts';
import { operate, type Stage } from '../operators/operate.ts';
import type { TransferEvent } from './transfer.ts';

interface Several {
  /** In ascending order. */
  readonly parts: readonly Part[];
  readonly titles: readonly Chunk[];
  readonly closing: Chunk;
  /** The head of the response to the head of the whole; undefined if the whole is to be sent. */
  readonly headFor: (head: Head) => Head | undefined;
}

/**
 * Cuts several parts from one transfer of the whole. Emits a title before each, and the closing
 * bytes when the whole has ended. Notes pass.
 */
export const cutSeveral = ({ parts, titles, closing, headFor }: Several): Stage<TransferEvent, TransferEvent> =>
  operate((out) => {
    let cuts = false;
    let position = 0;
    /** The index of the part that begins or continues next. */
    let at = 0;

    const take = (chunk: Chunk) => {
      const from = position;
      position += chunk.bytes.length;
      for (let part = parts[at]; part && part.first < position; part = parts[at]) {
        const title = titles[at];
        if (part.first >= from && title) out.next(title);
        out.next({
          ...chunk,
          bytes: chunk.bytes.subarray(Math.max(0, part.first - from), Math.min(position, part.last + 1) - from),
        });
        if (part.last >= position) return;
        at += 1;
      }
    };

    return {
      next: (event) => {
        if (event.type === 'chunk' && cuts) return take(event);
        const head = event.type === 'head' ? headFor(event) : undefined;
        cuts ||= head !== undefined;
        out.next(head ?? event);
      },
      complete: () => {
        if (cuts) out.next(closing);
        out.complete();
      },
    };
  });
