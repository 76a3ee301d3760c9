import type { MonoTypeOperatorFunction } from 'rxjs';
import type { CatalogEntry, Chunk, Head, Note, Outbox, StreamRequest } from '../model/index.ts';
import { operate } from '../operators/operate.ts';

/**
 * After a whole and right transfer notes in the outbox that the unit should be saved, and emits a `recorded` note.
 * A HEAD, a part, an aborted or failed transfer, a request that asks not to be recorded, and content that was saved already leave
 * nothing. Passes everything on.
 */
export const record = (
  request: StreamRequest,
  { outbox }: { outbox?: Pick<Outbox, 'append'> },
): MonoTypeOperatorFunction<Head | Chunk | Note> =>
  operate((out) => {
    let entry: CatalogEntry | undefined;

    return {
      next: (event) => {
        if (event.type === 'head' && event.whole && request.method === 'GET' && request.record && !event.candidate.kept)
          entry = event.candidate.entry;
        out.next(event);
      },
      complete: () => {
        if (entry && outbox) {
          const { id: requestId, traceparent } = request;
          outbox.append({ requestId, entry, ...(traceparent && { traceparent }) });
          out.next({ type: 'note', note: 'recorded', unitId: entry.unitId });
        }
        out.complete();
      },
    };
  });
