import type { MonoTypeOperatorFunction } from 'rxjs';
import type { CatalogEntry, Chunk, Head, Note, Outbox, Policy, StreamRequest } from '../model/index.ts';
import { operate } from '../operators/operate.ts';

/**
 * After a whole and right transfer notes in the outbox that the unit should be saved, and emits a `recorded` note; after a part, and after a
 * transfer that its consumer left, only where the policy says so. A HEAD, a failed transfer, a request that asks not to be recorded, and
 * content that was saved already leave nothing. Passes everything on.
 */
export const record = (
  request: StreamRequest,
  {
    outbox,
    policy: { savePartial, saveAbandoned },
  }: { outbox?: Pick<Outbox, 'append'>; policy: Pick<Policy, 'savePartial' | 'saveAbandoned'> },
): MonoTypeOperatorFunction<Head | Chunk | Note> =>
  operate((out) => {
    let entry: CatalogEntry | undefined;

    const append = (): Note | undefined => {
      const saved = entry;
      entry = undefined;
      if (!saved || !outbox) return undefined;
      const { id: requestId, traceparent } = request;
      outbox.append({ requestId, entry: saved, ...(traceparent && { traceparent }) });
      return { type: 'note', note: 'recorded', unitId: saved.unitId };
    };

    out.add(() => {
      if (saveAbandoned) append();
    });

    return {
      next: (event) => {
        if (event.type === 'head' && request.method === 'GET' && request.record && !event.candidate.kept)
          if (event.whole || (event.status === 206 && savePartial)) entry = event.candidate.entry;
        out.next(event);
      },
      error: (error) => {
        entry = undefined;
        out.error(error);
      },
      complete: () => {
        const note = append();
        if (note) out.next(note);
        out.complete();
      },
    };
  });
