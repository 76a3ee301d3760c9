import { concat, type Observable, of, Subscriber } from 'rxjs';
import {
  type CatalogEntry,
  canBeContinued,
  type Digest,
  type Head,
  type NewDigest,
  type StreamRequest,
} from '../model/index.ts';
import { given, operate } from '../operators/operate.ts';
import type { Valve } from '../operators/valve.ts';
import { type Tail, tailAfter } from './boundary.ts';
import type { Sharing } from './sharing.ts';
import type { Transfer, TransferEvent } from './transfer.ts';
import { digestOf } from './verify.ts';

/**
 * Lets clients that request the same content at the same time share one transfer. A client that
 * joins while the first bytes are kept, or wait on disk, receives the whole body. A client neither
 * delays the others nor affects them by leaving.
 *
 * A connection to a feed belongs to transfers that move. If a client takes nothing for a second,
 * its transfer runs on into the copy in the making, or into a spill; the client reads from there.
 * If neither has room, the transfer waits for its client. A client that falls behind others by more
 * than `window` then continues with its own transfer from its byte, where its own digest verifies
 * the body. The head of a transfer that was joined leaves with its first byte: a client that falls
 * behind before begins again instead, with whatever head its source has by then.
 *
 * Not shared, but spilled: content that nothing proves to be the same later (neither checksum nor
 * strong entity tag), and requests with conditions. Neither shared nor spilled: `exclusive`
 * requests.
 */
export const share =
  (
    { sharing, newDigest }: { readonly sharing?: Sharing; readonly newDigest: NewDigest },
    transfer: Transfer,
  ): Transfer =>
  (request) => {
    if (!sharing || request.method !== 'GET' || request.exclusive) return transfer(request);
    const isOwn = !sharing.shares || request.conditions !== undefined;
    if (isOwn && !sharing.spills) return transfer(request);

    return operate((out, valve) => {
      let joining = false;
      return {
        next: (entries) => {
          joining = true;
          join({ sharing, newDigest, transfer }, request, entries, isOwn, out, valve);
        },
        complete: () => {
          if (!joining) out.complete();
        },
      };
    });
  };

interface JoinDeps {
  readonly sharing: Sharing;
  readonly newDigest: NewDigest;
  readonly transfer: Transfer;
}

const join = (
  { sharing, newDigest, transfer }: JoinDeps,
  request: StreamRequest,
  entries: readonly CatalogEntry[],
  isOwn: boolean,
  out: Subscriber<TransferEvent>,
  valve: Valve,
): void => {
  let head: Head | undefined;
  let sent = 0;
  let digest: Digest | undefined;
  /** The digest, if it was computed here. */
  let own: Digest | undefined;
  let tail: Tail | undefined;
  let joined = false;
  /** The head of a transfer that this client joined, and what came since: it leaves with the first byte. */
  let waiting: TransferEvent[] | undefined;

  /** The digest after bytes from a basin, which carry none. */
  const digestAfter = (bytes: Uint8Array): Digest | undefined => {
    if (!head?.whole) return undefined;
    own ??= sent === 0 ? digestOf(head.candidate, head, newDigest) : digest?.copy();
    own?.update(bytes);
    return own;
  };

  const startOver = given(entries, transfer(request));
  const continueAlone = (soFar: Head): Observable<TransferEvent> =>
    concat(
      of<TransferEvent>({ type: 'behind', from: soFar.first + sent }),
      given(entries, transfer(request, { head: soFar, sent, digest, tail }))(valve),
    );

  const passOn = () => {
    const events = waiting ?? [];
    waiting = undefined;
    for (const event of events) out.next(event);
  };
  /** Nothing has left for this client. */
  const startAlone = () => {
    waiting = waiting?.filter(({ type }) => type !== 'head');
    passOn();
    joined = false;
    return startOver(valve);
  };

  const member = new Subscriber<TransferEvent>({
    next: (event) => {
      if (event.type === 'head') {
        if (joined && !canBeContinued(event)) {
          member.unsubscribe();
          startAlone().subscribe(out);
          return;
        }
        head = event;
        if (joined) waiting = [];
      } else if (event.type === 'chunk') {
        passOn();
        digest = event.digest ?? (sharing.spills ? digestAfter(event.bytes) : undefined);
        if (event.digest) own = undefined;
        sent += event.bytes.length;
        tail = tailAfter(head, tail, event.bytes);
      } else if (event.type === 'shared') joined = true;
      if (waiting) waiting.push(event);
      else out.next(event);
    },
    error: (error: unknown) => out.error(error),
    complete: () => {
      passOn();
      out.complete();
    },
  });
  out.add(member);
  sharing
    .join({
      ...(isOwn ? { key: `own ${request.id}`, stays: false } : keysOf(request, entries)),
      ...(request.cut && { stays: true }),
      expected: request.ranges ? undefined : entries[0]?.size,
      source: (mayFallBehind) => given(entries, transfer(request, undefined, mayFallBehind)),
      fallback: () => (head && !waiting ? continueAlone(head) : startAlone()),
      onJoin: { type: 'shared' },
    })(valve)
    .subscribe(member);
};

/** The whole that is saved will do for parts, too. */
const keysOf = (request: StreamRequest, entries: readonly CatalogEntry[]): { key: string; orKey?: string } => ({
  key: keyOf(request, entries),
  ...(request.cut && !request.save && { orKey: keyOf({ ...request, save: true }, entries) }),
});

/**
 * What was found counts, not the path by which a client asked: there are several for a file. None of
 * the values contains a NUL or a line break.
 */
const keyOf = (
  { ranges = NO_RANGES, parts, save, lengthRequired }: StreamRequest,
  entries: readonly CatalogEntry[],
): string => {
  let key = `${save}\0${lengthRequired ?? false}`;
  for (const { first, last } of ranges) key += `\0${first}-${last}`;
  for (const { first, last } of parts ?? NO_RANGES) key += `\0+${first}-${last}`;
  for (const { path, importerId, unitId, revision, url, checksum, maxAge, replaced, asOf } of entries) {
    key += `\n${path}\0${importerId}\0${unitId}\0${revision}\0${url}\0${checksum?.value}`;
    // A view of a repository has other heads, and other errors.
    key += `\0${maxAge}\0${replaced}\0${asOf}`;
  }
  return key;
};

const NO_RANGES: NonNullable<StreamRequest['ranges']> = [];
