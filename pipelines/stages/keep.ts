import {
  type Chunk,
  type CopyWriter,
  type Head,
  isWorthSaving,
  type Keep,
  type Note,
  type StreamRequest,
} from '../model/index.ts';
import { fuse } from '../operators/fuse.ts';
import { operate, type Stage } from '../operators/operate.ts';

/**
 * Writes a copy while the bytes pass. The copy is committed before completion, and aborted on an
 * error or when the consumer leaves. Passes everything on without delay and marks the head
 * (`keepsCopy`). A copy cannot fail a response. A transfer waits for a disk that is slower than the
 * source: see `Basin.ready`.
 */
export const keep = (request: StreamRequest, deps: { keep?: Keep }): Stage<Head | Chunk | Note, Head | Chunk | Note> =>
  deps.keep && request.save && request.method === 'GET' ? copied(deps.keep) : fuse();

const copied = (keep: Keep): Stage<Head | Chunk | Note, Head | Chunk | Note> =>
  operate((out) => {
    let keeping: CopyWriter | undefined;
    out.add(() => keeping?.abort());

    return {
      next: (event) => {
        if (event.type === 'head' && event.whole && isWorthSaving(event.candidate))
          keeping = keep(event.candidate.entry, event.length, event.headers);
        if (event.type === 'chunk') keeping?.write(event.bytes, event.loan);
        out.next(event.type === 'head' && keeping ? marked(event, keeping) : event);
      },
      complete: () => {
        keeping?.commit();
        keeping = undefined;
        out.complete();
      },
    };
  });

const marked = (head: Head, { basin, progress }: CopyWriter): Head => ({
  ...head,
  ...{ keepsCopy: true, basin, copy: progress },
});
