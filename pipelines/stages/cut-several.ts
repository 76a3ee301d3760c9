import type { Chunk, Head, Part } from '../model/index.ts';
import { operate, type Stage } from '../operators/operate.ts';
import type { TransferEvent } from './transfer.ts';

interface Several {
  /** The parts of the content that the body consists of, in ascending order. */
  readonly body: readonly Part[];
  /** The parts to cut, each within one of the body's, in ascending order. */
  readonly parts: readonly Part[];
  /** Emitted before the bytes of a part. */
  readonly title: (part: Part) => readonly Chunk[];
  /** The head of the response to the head of the body; undefined if the body is to be sent as it is. */
  readonly headFor: (head: Head) => Head | undefined;
}

/** Cuts several parts from a body. Emits a title before each. Notes pass. Completes with the body. */
export const cutSeveral = ({ body, parts, title, headFor }: Several): Stage<TransferEvent, TransferEvent> =>
  operate((out) => {
    let cuts = false;
    /** The position in the content, and the index of the body's part that it lies in. */
    let position = body[0]?.first ?? 0;
    let within = 0;
    /** The index of the part that begins or continues next. */
    let at = 0;

    /** Bytes that are adjacent in the content. */
    const take = (chunk: Chunk) => {
      const from = position;
      position += chunk.bytes.length;
      for (let part = parts[at]; part && part.first < position; part = parts[at]) {
        if (part.first >= from) for (const chunk of title(part)) out.next(chunk);
        const [begin, end] = [Math.max(0, part.first - from), Math.min(position, part.last + 1) - from];
        out.next(end - begin === chunk.bytes.length ? chunk : { ...chunk, bytes: chunk.bytes.subarray(begin, end) });
        if (part.last >= position) return;
        at += 1;
      }
    };

    const split = (chunk: Chunk) => {
      let { bytes } = chunk;
      for (let part = body[within]; part && bytes.length > 0; part = body[within]) {
        const piece = bytes.subarray(0, part.last + 1 - position);
        bytes = bytes.subarray(piece.length);
        take(piece.length === chunk.bytes.length ? chunk : { ...chunk, bytes: piece });
        if (position <= part.last) return;
        within += 1;
        position = body[within]?.first ?? position;
      }
    };

    return {
      next: (event) => {
        if (event.type === 'chunk' && cuts) return split(event);
        const head = event.type === 'head' ? headFor(event) : undefined;
        cuts ||= head !== undefined;
        out.next(head ?? event);
      },
    };
  });
