import type { Subscriber } from 'rxjs';
import { type CatalogEntry, type ErrorCode, hasOtherBytes, StreamError } from '../model/index.ts';
import { fuse } from '../operators/fuse.ts';
import { operate, type Stage } from '../operators/operate.ts';
import type { Transfer, TransferEvent } from './transfer.ts';

/**
 * Says of a file of an earlier revision (`asOf`) that its feed no longer has it: `NOT_KEPT`, if no
 * source has it, or only other content of its name, and no head was sent. Other events and errors pass
 * unchanged, and all of other files.
 */
export const earlierRevision =
  (inner: Transfer): Transfer =>
  (request, ...how) =>
    operate((out, valve) => {
      let transferring: Subscriber<readonly CatalogEntry[]> | undefined;
      return {
        next: (entries) => {
          const { asOf, path } = entries[0] ?? {};
          const transfer = inner(request, ...how);
          const stage = asOf === undefined ? transfer : fuse(transfer, explaining(`${path} of ${asOf}`));
          transferring = stage.into(out, valve);
          transferring.next(entries);
        },
        complete: () => (transferring ?? out).complete(),
      };
    });

/** Failures of a feed that has removed a file, or replaced it. */
const REMOVED: ReadonlySet<ErrorCode> = new Set(['SOURCE_MISSING', 'KNOWN_WRONG']);

const explaining = (what: string): Stage<TransferEvent, TransferEvent> =>
  operate((out) => {
    let hasHead = false;
    return {
      next: (event) => {
        hasHead ||= event.type === 'head';
        out.next(event);
      },
      error: (error) => {
        if (hasHead || !(error instanceof StreamError) || !(REMOVED.has(error.code) || hasOtherBytes(error)))
          throw error;
        const { message, sourceStatus } = error;
        throw new StreamError('NOT_KEPT', 'catalog', `${what}: ${message}`, { cause: error, told: what, sourceStatus });
      },
    };
  });
