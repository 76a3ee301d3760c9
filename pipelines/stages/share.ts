import { concat, type Observable, of, Subscriber } from 'rxjs';
import {
  type CatalogEntry,
  canBeContinued,
  type Digest,
  type Head,
  LOANS,
  type StreamRequest,
} from '../model/index.ts';
import { coalesce } from '../operators/coalesce.ts';
import { given, operate } from '../operators/operate.ts';
import { type Tail, tailAfter } from './boundary.ts';
import type { Transfer, TransferEvent } from './transfer.ts';

/** The transfers in progress, which other requests may join. */
export type Sharing = ReturnType<typeof coalesce<TransferEvent>>;

/**
 * Bytes that all clients have received, kept for late joiners. Once there are more, joining ends. A
 * transfer with a single client keeps at most this.
 */
const LATE_JOIN = 256 * 1024;

/**
 * `window`: bytes of one transfer kept for slower clients; `memory`: the limit for all transfers
 * together.
 */
export const createSharing = ({ window, memory }: { readonly window: number; readonly memory: number }): Sharing =>
  coalesce<TransferEvent>({
    size: (event) => (event.type === 'chunk' ? event.bytes.length : 0),
    lateJoinWindow: Math.min(window, LATE_JOIN),
    window,
    memory,
    lending: LOANS,
  });

/**
 * Lets clients that request the same content at the same time share one transfer. A client that
 * joins while the first bytes are kept receives the whole body. A client that falls behind by more
 * than `window` continues from its own byte: with its own transfer, or from the saved copy. Its own
 * digest then verifies the body. A client neither delays the others nor affects them by leaving.
 *
 * Not shared: content that nothing proves to be the same later (neither checksum nor strong entity
 * tag), requests with conditions, and `exclusive` requests.
 */
export const share =
  ({ sharing }: { readonly sharing?: Sharing }, transfer: Transfer): Transfer =>
  (request) => {
    if (!sharing || request.method !== 'GET' || request.conditions || request.exclusive) return transfer(request);

    return operate((out) => {
      let joining = false;
      return {
        next: (entries) => {
          joining = true;
          join(sharing, transfer, request, entries, out);
        },
        complete: () => {
          if (!joining) out.complete();
        },
      };
    });
  };

const join = (
  sharing: Sharing,
  transfer: Transfer,
  request: StreamRequest,
  entries: readonly CatalogEntry[],
  out: Subscriber<TransferEvent>,
): void => {
  let head: Head | undefined;
  let sent = 0;
  let digest: Digest | undefined;
  let tail: Tail | undefined;
  let joined = false;

  const own = (): Observable<TransferEvent> => given(entries, transfer(request));
  const continueAlone = (soFar: Head): Observable<TransferEvent> =>
    concat(
      of<TransferEvent>({ type: 'behind', from: soFar.first + sent }),
      given(entries, transfer(request, { head: soFar, sent, digest, tail })),
    );

  const member = new Subscriber<TransferEvent>({
    next: (event) => {
      if (event.type === 'head') {
        if (joined && !canBeContinued(event)) {
          member.unsubscribe();
          own().subscribe(out);
          return;
        }
        head = event;
      } else if (event.type === 'chunk') {
        sent += event.bytes.length;
        digest = event.digest;
        tail = tailAfter(head, tail, event.bytes);
      } else if (event.type === 'shared') joined = true;
      out.next(event);
    },
    error: (error: unknown) => out.error(error),
    complete: () => out.complete(),
  });
  out.add(member);
  sharing({
    key: keyOf(request, entries),
    valve: request.valve,
    source: (valve, mayFallBehind) => given(entries, transfer({ ...request, valve }, undefined, mayFallBehind)),
    fallback: () => (head ? continueAlone(head) : own()),
    onJoin: { type: 'shared' },
  }).subscribe(member);
};

/** None of the values contains a NUL or a line break. */
const keyOf = (
  { path, ranges = NO_RANGES, save, lengthRequired }: StreamRequest,
  entries: readonly CatalogEntry[],
): string => {
  let key = `${path}\0${save}\0${lengthRequired ?? false}`;
  for (const { first, last } of ranges) key += `\0${first}-${last}`;
  for (const { importerId, unitId, revision, url, checksum } of entries)
    key += `\n${importerId}\0${unitId}\0${revision}\0${url}\0${checksum?.value}`;
  return key;
};

const NO_RANGES: NonNullable<StreamRequest['ranges']> = [];
