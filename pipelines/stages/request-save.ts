import {
  type CatalogEntry,
  type Chunk,
  type Head,
  isCopy,
  isWorthSaving,
  type Note,
  type Outbox,
  type Policy,
  type StreamRequest,
} from '../model/index.ts';
import { fuse } from '../operators/fuse.ts';
import { operate, type Stage } from '../operators/operate.ts';
import type { Start } from './transfer.ts';

interface RequestSaveDeps {
  readonly outbox?: Pick<Outbox, 'append' | 'written'>;
  readonly policy: Pick<Policy, 'savePartial' | 'saveAbandoned'>;
}

/**
 * After a complete and correct transfer, appends a save request for the unit to the outbox and
 * emits a `recorded` note. Completes once the save request is written: a consumer that sees the
 * completion can rely on it. With a `start`, the rest of a body counts like the whole.
 *
 * Appends nothing for HEAD, for a failed transfer, for content that is unmodified, outdated or
 * saved already, and for a request without `save`. A part, and a transfer that its consumer left,
 * count only if the policy allows it. Passes everything on.
 */
export const requestSave = (
  request: StreamRequest,
  { outbox, policy }: RequestSaveDeps,
  start?: Start,
): Stage<Head | Chunk | Note, Head | Chunk | Note> =>
  outbox && request.save && request.method === 'GET' ? saving(request, outbox, policy, start) : fuse();

const saving = (
  request: StreamRequest,
  outbox: Pick<Outbox, 'append' | 'written'>,
  { savePartial, saveAbandoned }: RequestSaveDeps['policy'],
  start?: Start,
): Stage<Head | Chunk | Note, Head | Chunk | Note> =>
  operate((out) => {
    const worthSaving = ({ status, whole, candidate }: Head): CatalogEntry | undefined => {
      const enough = whole || (savePartial && status === 206);
      return enough && isWorthSaving(candidate) ? candidate.entry : undefined;
    };
    let entry = start && worthSaving(start.head);

    const append = (): CatalogEntry | undefined => {
      const worth = entry;
      entry = undefined;
      const { id: requestId, traceparent, tracestate } = request;
      const trace = { ...(traceparent && { traceparent }), ...(tracestate && { tracestate }) };
      if (worth) outbox.append({ requestId, entry: worth, ...trace });
      return worth;
    };
    out.add(() => {
      if (saveAbandoned) append();
    });

    return {
      next: (event) => {
        if (event.type === 'head') entry = worthSaving(event);
        // The rest comes from a copy that has been saved since.
        if (event.type === 'resumed' && isCopy(event.candidate)) entry = undefined;
        out.next(event);
      },
      error: (error) => {
        entry = undefined;
        out.error(error);
      },
      complete: () => {
        const saved = append();
        if (saved) out.next({ type: 'recorded', unitId: saved.unitId });
        if (saved && outbox.written) out.add(outbox.written.subscribe({ complete: () => out.complete() }));
        else out.complete();
      },
    };
  });
