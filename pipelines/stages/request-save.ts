import type { MonoTypeOperatorFunction } from 'rxjs';
import {
  type CatalogEntry,
  type Chunk,
  type Head,
  isCopy,
  type Note,
  type Outbox,
  type Policy,
  type StreamRequest,
} from '../model/index.ts';
import { operate } from '../operators/operate.ts';
import type { Start } from './transfer.ts';

interface RecordDeps {
  readonly outbox?: Pick<Outbox, 'append'>;
  readonly policy: Pick<Policy, 'savePartial' | 'saveAbandoned'>;
}

/**
 * After a whole and right transfer notes in the outbox that the unit should be saved, and emits a `recorded` note. The wish is noted before
 * completion is told: whoever knows that the transfer is complete can rely on it. From a start on, the rest counts like the whole.
 * HEAD, content that is not modified or outdated, a failed transfer, a request that asks not to be recorded, and content that was saved already leave
 * nothing; neither do a part and a transfer that its consumer left, unless the policy says so. Passes everything on.
 */
export const requestSave = (
  request: StreamRequest,
  { outbox, policy: { savePartial, saveAbandoned } }: RecordDeps,
  start?: Start,
): MonoTypeOperatorFunction<Head | Chunk | Note> =>
  operate((out) => {
    const worthSaving = ({ status, whole, candidate }: Head): CatalogEntry | undefined => {
      const enough = whole || (savePartial && status === 206);
      const worth = enough && request.method === 'GET' && request.save && !isCopy(candidate) && !candidate.outdated;
      return worth ? candidate.entry : undefined;
    };
    let entry = start && worthSaving(start.head);

    const note = (): CatalogEntry | undefined => {
      const noted = outbox && entry;
      entry = undefined;
      const { id: requestId, traceparent } = request;
      if (noted) outbox.append({ requestId, entry: noted, ...(traceparent && { traceparent }) });
      return noted;
    };
    out.add(() => {
      if (saveAbandoned) note();
    });

    return {
      next: (event) => {
        if (event.type === 'head') entry = worthSaving(event);
        // The rest comes from a copy that was saved meanwhile.
        if (event.type === 'resumed' && isCopy(event.candidate)) entry = undefined;
        out.next(event);
      },
      error: (error) => {
        entry = undefined;
        out.error(error);
      },
      complete: () => {
        const noted = note();
        if (noted) out.next({ type: 'recorded', unitId: noted.unitId });
        out.complete();
      },
    };
  });
