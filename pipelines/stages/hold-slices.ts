import { concat, concatMap, defer, EMPTY, finalize, type MonoTypeOperatorFunction, map, takeWhile } from 'rxjs';
import {
  type ByteRange,
  type Chunk,
  field,
  type Head,
  type Header,
  isCopy,
  isNote,
  LOANS,
  type Policy,
  type StreamRequest,
} from '../model/index.ts';
import { createFlow } from '../operators/create-flow.ts';
import { follow } from '../operators/follow.ts';
import { limitConcurrency } from '../operators/limit-concurrency.ts';
import { given } from '../operators/operate.ts';
import type { Valve } from '../operators/valve.ts';
import { cacheControl, NO_STORE } from './client-head.ts';
import type { Transfer, TransferEvent } from './transfer.ts';

/** Bytes of held slices, of all requests together. Further slices wait for space. */
const MEMORY = 64 * 1024 * 1024;

/**
 * Milliseconds that a cache may keep a slice. It cannot distinguish slices of content that has
 * since been replaced, or found wrong, from newer ones.
 */
const LIFETIME = 60_000;

/** The memory for held slices, shared by all requests. Its places are bytes. */
export type SliceMemory = ReturnType<typeof createSliceMemory>;
/** Makes the memory for held slices, in bytes. A slice waits until there is room for it. */
export const createSliceMemory = (memory = MEMORY) => {
  const semaphore = limitConcurrency(memory);
  return (range: ByteRange): MonoTypeOperatorFunction<TransferEvent> => {
    const { first, last = Number.POSITIVE_INFINITY } = range;
    return (source) => semaphore(source, Math.min(memory, first < 0 ? -first : last - first + 1));
  };
};

/**
 * Answers a request for a slice so that a cache that assembles files from slices never assembles a
 * wrong one. Such a cache takes a slice that breaks off for a complete one, and requests each slice
 * separately. This leads to three rules.
 *
 * - The head of a slice waits until all of its bytes have arrived.
 * - Only content that is known to be right is cut (see `divisible`). Other content is sent whole.
 * - A slice may not be kept for long, and a `304` never confirms it.
 *
 * Other requests pass.
 */
export const holdSlices =
  (
    { slices, policy }: { readonly slices?: SliceMemory; readonly policy: Pick<Policy, 'cacheTimeout'> },
    transfer: Transfer,
  ): Transfer =>
  (request) => {
    const { method, ranges = [], conditions } = request;
    const [range] = ranges;
    if (!request.slice || method !== 'GET') return transfer(request);

    return follow((entries, valve) => {
      const run = (change: Partial<StreamRequest>) =>
        given(
          entries,
          transfer({ ...request, conditions: { ifRange: conditions?.ifRange }, ...change }),
        )(valve).pipe(map((event) => (event.type === 'head' ? shortLived(event, policy) : event)));
      const whole = () =>
        run({ ranges: [] }).pipe(map((event) => (event.type === 'head' ? indivisible(event) : event)));
      if (!range || ranges.length > 1) return whole();

      return defer(() => {
        let refused = false;
        const slice = run({}).pipe(
          takeWhile((event) => {
            refused = event.type === 'head' && event.status === 206 && !divisible(event);
            return !refused;
          }),
          hold(valve),
        );
        return concat(
          slices ? slice.pipe(slices(range)) : slice,
          defer(() => (refused ? whole() : EMPTY)),
        );
      });
    });
  };

/**
 * Whether parts of content may be put together: all are cut from the same content, and are as
 * reliable as the whole. A part of content with a checksum cannot be checked separately. So it
 * comes from the verified copy, or from content that was verified before its head. Without a
 * checksum the strong entity tag must suffice, as it does for the whole.
 */
const divisible = ({ candidate, verified, headers, etag }: Head): boolean =>
  candidate.entry.checksum
    ? verified || (isCopy(candidate) && !candidate.unproven)
    : etag !== undefined && etag === field(headers, 'etag');

/**
 * Holds a part until it has ended, then emits it as fast as the valve allows. A response
 * that is not a part passes.
 */
const hold =
  (valve: Valve): MonoTypeOperatorFunction<TransferEvent> =>
  (source) =>
    defer(() => {
      const held: (Head | Chunk)[] = [];
      let passes: boolean | undefined;

      const pass = (event: TransferEvent): readonly TransferEvent[] => {
        if (event.type === 'head') passes = event.status !== 206;
        if (isNote(event) || passes) return [event];
        LOANS.retain(event);
        held.push(event);
        return [];
      };
      const flow = createFlow<TransferEvent>((sink) => {
        for (const event of held) event.type === 'head' ? sink.ahead(event) : sink.next(event);
        sink.complete();
        return { pause: () => {}, resume: () => {}, close: () => {} };
      }, LOANS);
      return concat(source.pipe(concatMap(pass)), flow(valve)).pipe(finalize(() => held.forEach(LOANS.release)));
    });

const named = (name: string) => (header: Header) => header[0].toLowerCase() === name;

const shortLived = (head: Head, { cacheTimeout }: Pick<Policy, 'cacheTimeout'>): Head => ({
  ...head,
  headers: head.headers.map((header) =>
    named('cache-control')(header) && header[1] !== NO_STORE[1]
      ? cacheControl(Math.min(LIFETIME, cacheTimeout))
      : header,
  ),
});

const indivisible = (head: Head): Head => ({
  ...head,
  headers: head.headers.filter((header) => !named('accept-ranges')(header)),
});
