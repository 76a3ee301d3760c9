import { concat, defer, EMPTY, mergeMap, type Observable, of, takeWhile, tap } from 'rxjs';
import { type CatalogEntry, canBeContinued, type Digest, type Head, type StreamRequest } from '../model/index.ts';
import { coalesce } from '../operators/coalesce.ts';
import type { Transfer, TransferEvent } from './transfer.ts';

/** The transfers that are under way, for others to join. */
export type Sharing = ReturnType<typeof coalesce<TransferEvent>>;

/** Bytes that all have, kept for who comes late: "the same moment" ends with them. A lone client's transfer holds no more. */
const LATE = 256 * 1024;

/** `window`: bytes kept of one transfer for those who are slower than others; `memory`: of all transfers together. */
export const createSharing = ({ window, memory }: { readonly window: number; readonly memory: number }): Sharing =>
  coalesce<TransferEvent>({
    size: (event) => (event.type === 'chunk' ? event.bytes.length : 0),
    lateJoinWindow: Math.min(window, LATE),
    window,
    memory,
  });

/**
 * Has all who ask for the same at the same time share one transfer. Who comes while its first bytes are still kept gets all of it; who falls
 * behind by more than is kept goes on from his byte by a transfer of his own, or from the saved copy, and is judged by his own digest.
 * Nobody holds another back, and who leaves harms none. Content that nothing proves the same later (neither checksum nor strong entity tag)
 * is not shared, nor are requests with conditions, or such as want to be alone.
 */
export const share =
  ({ sharing }: { readonly sharing?: Sharing }, transfer: Transfer): Transfer =>
  (request) => {
    if (!sharing || request.method !== 'GET' || request.conditions || request.exclusive) return transfer(request);

    return mergeMap((entries) =>
      defer(() => {
        let head: Head | undefined;
        let sent = 0;
        let digest: Digest | undefined;
        let joined = false;
        let separate = false;

        const note = (event: TransferEvent) => {
          if (event.type === 'head') head = event;
          else if (event.type === 'chunk') {
            sent += event.bytes.length;
            digest = event.digest;
          } else if (event.type === 'shared') joined = true;
        };

        const own = (): Observable<TransferEvent> => of(entries).pipe(transfer(request));
        const goOn = (soFar: Head): Observable<TransferEvent> =>
          concat(
            of<TransferEvent>({ type: 'behind', from: soFar.first + sent }),
            of(entries).pipe(transfer(request, { head: soFar, sent, digest })),
          );

        const events = sharing({
          key: keyOf(request, entries),
          valve: request.valve,
          source: (valve, mayFallBehind) => of(entries).pipe(transfer({ ...request, valve }, undefined, mayFallBehind)),
          fallback: () => (head ? goOn(head) : own()),
          onJoin: { type: 'shared' },
        }).pipe(
          takeWhile((event) => {
            separate = joined && event.type === 'head' && !canBeContinued(event);
            return !separate;
          }),
          tap(note),
        );
        return concat(
          events,
          defer(() => (separate ? own() : EMPTY)),
        );
      }),
    );
  };

const keyOf = (
  { path, ranges = [], save, lengthRequired }: StreamRequest,
  entries: readonly CatalogEntry[],
): string => {
  const state = entries.map(({ importerId, unitId, revision, url, checksum }) => [
    ...[importerId, unitId, revision, url],
    checksum?.value,
  ]);
  return JSON.stringify([path, ranges, save, lengthRequired ?? false, state]);
};
