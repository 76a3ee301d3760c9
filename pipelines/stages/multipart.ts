import {
  catchError,
  concat,
  defer,
  EMPTY,
  filter,
  mergeMap,
  type Observable,
  of,
  takeWhile,
  tap,
  throwError,
} from 'rxjs';
import {
  adjoined,
  type ByteRange,
  type Chunk,
  errorSourceOf,
  field,
  type Head,
  holds,
  isSmall,
  type Part,
  resolveRange,
  StreamError,
  type StreamRequest,
  sizeOf,
  toStreamError,
} from '../model/index.ts';
import { under } from '../operators/flow.ts';
import { follow } from '../operators/follow.ts';
import { given } from '../operators/operate.ts';
import type { Valve } from '../operators/valve.ts';
import { type CutPartsDeps, cutParts, wholeOf } from './cut-parts.ts';
import { cutSeveral } from './cut-several.ts';
import { type Frame, frameOf } from './multipart-frame.ts';
import { type Group, groupsOf, isAscending } from './part-groups.ts';
import type { Transfer, TransferEvent } from './transfer.ts';

/**
 * Answers a request for several ranges with one body of `multipart/byteranges` (RFC 9110 section
 * 14.6). Overlapping ranges are joined. If one range remains, or the length is unknown, the request
 * is one transfer like any other. The length is that of the catalog, or of the source's answer to
 * HEAD.
 *
 * Ascending parts are asked of the source together (`groupsOf`): with small gaps between them, and
 * at once if it sends several. They are cut from one transfer of the whole if the content is small,
 * if they are most of it, or if the source cannot send them for less. Other parts are transferred
 * one after the other, in the requested order.
 *
 * Errors with `UNSATISFIABLE` if every range lies beyond the content, and with `CHANGED` if the
 * content changes between two transfers. Content that has changed before the first part is sent
 * whole.
 */
export const multipart =
  (deps: CutPartsDeps, inner: Transfer): Transfer =>
  (request) => {
    const transfer = cutParts(deps, inner);
    const { policy, keep } = deps;
    const { method, ranges = [] } = request;
    if (method !== 'GET' || ranges.length < 2) return transfer(request);

    return follow((entries, valve) => {
      const run = (change: Partial<StreamRequest>) => given(entries, transfer({ ...request, ...change }))(valve);
      const unconditional = { ...request, conditions: undefined };

      const body = (head: Head): Observable<TransferEvent> => {
        const { length, headers } = head;
        const validators = { etag: field(headers, 'etag'), lastModified: field(headers, 'last-modified') };
        if (head.status !== 200) return of(head);
        if (!length || !holds(request.conditions?.ifRange, validators)) return run({ ranges: [] });
        const parts = joined(ranges, length);
        const [first] = parts;
        if (!first) {
          const what = `${head.candidate.url} has only ${length} bytes`;
          return throwError(() => new StreamError('UNSATISFIABLE', errorSourceOf(head.candidate), what, { length }));
        }
        if (parts.length === 1) return run({ ranges: [first] });
        const isMost = isSmall({ ...head.candidate.entry, size: length }, policy) || 2 * sizeOf(parts) >= length;
        const transfers: Transfers = {
          group: (body, change) =>
            body.length === 1
              ? run({ ...unconditional, ...change, ranges: body })
              : given(entries, inner({ ...unconditional, ...change, ranges: [adjoined(body)], parts: body }))(valve),
          whole: () => run(wholeOf(unconditional, keep !== undefined || policy.savePartial)),
          atOnce: isMost && isAscending(parts),
        };
        return severalParts(head, length, parts, request.id, transfers, valve);
      };

      // A source that cannot answer HEAD may answer GET. It is asked for the whole, since the end
      // of a range is unknown.
      return run({ method: 'HEAD', ranges: [] }).pipe(
        catchError(() => of(undefined)),
        mergeMap((event) => {
          if (event === undefined) return run({ ranges: [] });
          return event.type === 'head' ? body(event) : of(event);
        }),
      );
    });
  };

/**
 * The ranges that exist in content of this length. If any overlap, they are joined and sorted:
 * every byte is sent only once.
 */
const joined = (ranges: readonly ByteRange[], length: number): readonly Part[] => {
  const parts = ranges.flatMap((range) => resolveRange(range, length) ?? []);
  const ascending = parts.toSorted((a, b) => a.first - b.first);
  const merged: Part[] = [];
  for (const part of ascending) {
    const before = merged.at(-1);
    if (before && part.first <= before.last + 1)
      merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, part.last) };
    else merged.push(part);
  }
  return merged.length === parts.length ? parts : merged;
};

interface Transfers {
  /** One transfer of several parts, in ascending order. */
  readonly group: (body: Group['body'], change?: Partial<StreamRequest>) => Observable<TransferEvent>;
  readonly whole: () => Observable<TransferEvent>;
  /** All parts are cut from one transfer of the whole. */
  readonly atOnce: boolean;
}

const severalParts = (
  known: Head,
  length: number,
  parts: readonly Part[],
  id: string,
  transfer: Transfers,
  valve: Valve,
): Observable<TransferEvent> => {
  const etag = field(known.headers, 'etag');
  const isSame = (head: Head) => head.total === length && field(head.headers, 'etag') === etag;
  /** Undefined until the first part begins. */
  let frame: Frame | undefined;
  const begin = (head: Head): Head => {
    frame = frameOf(head, length, parts, id);
    return frame.head;
  };
  const framed = (bytes: Uint8Array | undefined): readonly Chunk[] => (bytes ? [{ type: 'chunk', bytes }] : []);
  const title = (part: Part) => framed(frame?.title(part));
  const closing = defer(() => framed(frame?.closing));

  const whole = () =>
    concat(
      transfer.whole().pipe(
        under(
          valve,
          cutSeveral({
            ...{ body: [{ first: 0, last: length - 1 }], parts, title },
            headFor: (head) => (isSame(head) ? begin(head) : undefined),
          }),
        ),
      ),
      closing,
    );
  if (transfer.atOnce) return whole();

  const [first, ...others] = groupsOf(parts);
  if (!first) return EMPTY;
  let refused = false;
  const beginning = transfer.group(first.body).pipe(
    // The response head waits for the first part: content that differs at each request is better
    // sent whole than broken off.
    takeWhile((event) => {
      refused = event.type === 'head' && !isSame(event);
      return !refused;
    }),
    // Only before the head: see `openParts`.
    catchError((thrown: unknown) => {
      const error = toStreamError(thrown);
      refused = error.code === 'NEEDS_WHOLE';
      return refused ? EMPTY : throwError(() => error);
    }),
    under(valve, cutSeveral({ ...first, title, headFor: begin })),
  );
  const following = others.map((group) =>
    transfer.group(group.body, { answerBy: undefined }).pipe(
      tap((event) => {
        if (event.type === 'head' && !isSame(event)) throw changed(event);
      }),
      under(valve, cutSeveral({ ...group, title, headFor: (head) => head })),
      filter(({ type }) => type !== 'head'),
    ),
  );
  return concat(
    beginning,
    defer(() => (refused ? whole() : concat(...following, closing))),
  );
};

const changed = ({ candidate }: Head): StreamError =>
  new StreamError('CHANGED', errorSourceOf(candidate), `${candidate.url} changed between two parts of a response`);
