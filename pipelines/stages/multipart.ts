import { catchError, concat, defer, mergeMap, type Observable, of, takeWhile, tap, throwError } from 'rxjs';
import {
  type ByteRange,
  type Chunk,
  errorSourceOf,
  field,
  type Head,
  type Header,
  holds,
  isSmall,
  type Part,
  resolveRange,
  StreamError,
  type StreamRequest,
} from '../model/index.ts';
import { follow } from '../operators/follow.ts';
import { given } from '../operators/operate.ts';
import { type CutPartsDeps, cutParts, wholeOf } from './cut-parts.ts';
import { cutSeveral } from './cut-several.ts';
import type { Transfer, TransferEvent } from './transfer.ts';

/**
 * Answers a request for several ranges with one body of `multipart/byteranges` (RFC 9110 section
 * 14.6). A HEAD request finds the length; then the parts are transferred one after the other, in
 * the requested order. Ascending parts of small content are cut from one transfer of the whole. Any
 * other request is one transfer. Overlapping ranges are joined. If one range remains, or the length
 * is unknown, the request is one transfer as well.
 *
 * Errors with `UNSATISFIABLE` if every range lies beyond the content, and with `CHANGED` if the
 * content changes between two parts. Content that has changed before the first part is sent whole.
 */
export const multipart =
  (deps: CutPartsDeps, inner: Transfer): Transfer =>
  (request) => {
    const transfer = cutParts(deps, inner);
    const { policy, keep } = deps;
    const { method, ranges = [] } = request;
    if (method !== 'GET' || ranges.length < 2) return transfer(request);

    return follow((entries) => {
      const run = (change: Partial<StreamRequest>) => given(entries, transfer({ ...request, ...change }));

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
        return multipartBody(head, length, parts, request.id, {
          part: (part, change) => run({ ranges: [part], conditions: {}, ...change }),
          whole: () => run(wholeOf({ ...request, conditions: {} }, keep !== undefined || policy.savePartial)),
          atOnce: isSmall({ ...head.candidate.entry, size: length }, policy),
        });
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

const multipartBody = (
  head: Head,
  length: number,
  parts: readonly Part[],
  id: string,
  transfer: {
    readonly part: (part: Part, change?: Partial<StreamRequest>) => Observable<TransferEvent>;
    readonly whole: () => Observable<TransferEvent>;
    /** All parts are cut from one transfer of the whole. */
    readonly atOnce: boolean;
  },
): Observable<TransferEvent> => {
  const boundary = `pulp-streamer-${id.replace(/[^0-9A-Za-z-]/g, '')}`.slice(0, 70);
  const type = field(head.headers, 'content-type');
  const rangeOf = ({ first, last }: Part) => `bytes ${first}-${last}/${length}`;
  const titles = parts.map((part) =>
    bytesOf(
      [
        // Also before the first part: some clients expect the line break there (RFC 2046 section
        // 5.1.1 makes it a part of the delimiter).
        `\r\n--${boundary}`,
        ...(type === undefined ? [] : [`Content-Type: ${type}`]),
        `Content-Range: ${rangeOf(part)}`,
        '\r\n',
      ].join('\r\n'),
    ),
  );
  const closing = bytesOf(`\r\n--${boundary}--\r\n`);
  const etag = field(head.headers, 'etag');

  const isSame = ({ headers }: Head, part: Part): boolean =>
    field(headers, 'content-range') === rangeOf(part) && field(headers, 'etag') === etag;
  const check = (part: Part) => (event: TransferEvent) => {
    if (event.type !== 'head' || isSame(event, part)) return;
    const { candidate } = event;
    throw new StreamError(
      'CHANGED',
      errorSourceOf(candidate),
      `${candidate.url} changed between two parts of a response`,
    );
  };

  const size =
    closing.length +
    titles.reduce((sum, title) => sum + title.length, 0) +
    parts.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const named = ([name]: Header) => name.toLowerCase();
  const headers: readonly Header[] = [
    ...head.headers.filter((header) => named(header) !== 'content-type'),
    ['Content-Type', `multipart/byteranges; boundary=${boundary}`],
  ];

  const title = (index: number): Chunk => ({ type: 'chunk', bytes: titles[index] as Uint8Array });
  const own: Head = { ...head, status: 206, length: size, whole: false, headers };
  const begin: readonly TransferEvent[] = [own, title(0)];
  const ending: Chunk = { type: 'chunk', bytes: closing };
  if (transfer.atOnce && parts.every(({ first }, index) => first > (parts[index - 1]?.first ?? -1)))
    return transfer.whole().pipe(
      cutSeveral({
        ...{ parts, titles: parts.map((_, index) => title(index)), closing: ending },
        headFor: (whole) =>
          whole.status === 200 && whole.total === length && field(whole.headers, 'etag') === etag
            ? { ...own, candidate: whole.candidate, sourceStatus: whole.sourceStatus, keepsCopy: whole.keepsCopy }
            : undefined,
      }),
    );
  const [first, ...others] = parts as readonly [Part, ...Part[]];
  let changed = false;

  const beginning = transfer.part(first).pipe(
    // The response head waits for the first part: content that differs at each request is better
    // sent whole than broken off.
    takeWhile((event) => {
      changed = event.type === 'head' && !isSame(event, first);
      return !changed;
    }),
    mergeMap((event) => (event.type === 'head' ? begin : [event])),
  );
  const rest = concat(
    ...others.map((part, index) =>
      concat(
        of(title(index + 1)),
        transfer.part(part, { answerBy: undefined }).pipe(
          tap(check(part)),
          mergeMap((event) => (event.type === 'head' ? [] : [event])),
        ),
      ),
    ),
    of<TransferEvent>(ending),
  );
  return concat(
    beginning,
    defer(() => (changed ? transfer.whole() : rest)),
  );
};

/** Header fields are Latin-1 on the wire. */
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
