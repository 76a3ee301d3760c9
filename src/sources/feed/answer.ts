import {
  type Ask,
  type ErrorCode,
  field,
  type Header,
  type Part,
  resolveRange,
  type SourceHead,
  StreamError,
  timeOfHttpDate,
  trimBlanks,
} from '../../../pipelines/model/index.ts';
import { asksRange } from '../../lib/asks-range.ts';
import { challenged } from './challenges.ts';
import { sayUrl } from './errors.ts';

/** The meaning of a feed's status and header fields. */
export type Answer =
  | SourceHead
  /** The requested range starts at the end of the file: there is a head, but no byte after it. */
  | { readonly type: 'nothing-left'; readonly head: SourceHead }
  /** A body of several parts follows. */
  | { readonly type: 'parts'; readonly boundary: string }
  | { readonly type: 'redirect'; readonly status: number; readonly location: string | undefined }
  | { readonly type: 'refused'; readonly error: StreamError };

/**
 * Accepts 200, a 304 if it was asked for (`Ask.unless`), and 206 if a range was requested and all of
 * it follows (RFC 9110 section 15.3.7). A 203 and an unknown success pass with their status: only a
 * checksum can show whether it is the file.
 * Any other status is an error page, or not the file. A 416 that states exactly the requested
 * offset as the length proves that nothing is missing.
 */
export const readAnswer = (status: number, headers: readonly Header[], ask: Ask, url: URL, now = Date.now): Answer => {
  if (headers.length > MOST_FIELDS)
    return refused(
      'PROTOCOL_ERROR',
      url,
      `sent ${headers.length} header fields; at most ${MOST_FIELDS} are accepted`,
      status,
    );
  if (status === 200 || isLikeSuccess(status))
    return headOf(status, headers, decimal(field(headers, 'content-length')));
  if (status === 206 && asksRange(ask)) {
    const boundary = ask.parts && boundaryOf(headers);
    return boundary === undefined ? part(headers, ask, url) : { type: 'parts', boundary };
  }
  if (status === 416 && asksRange(ask)) return noPart(headers, ask, url);
  if (status === 304 && ask.unless) return headOf(status, headers, undefined);
  if (REDIRECTS.has(status)) return { type: 'redirect', status, location: field(headers, 'location') };
  const code = REFUSALS[status] ?? (status >= 500 ? 'SOURCE_FAILED' : 'SOURCE_STATUS');
  return refused(code, url, `answered ${status}${challenged(status, headers) || hintOf(status, url)}`, status, {
    retryAfter: retryAfter(headers, now),
  });
};

/** What people overlook when they set up a source. nginx answers 400 over TLS. */
const hintOf = (status: number, { protocol }: URL): string =>
  status === 400 && protocol === 'https:' ? '; it may demand a client certificate that was not presented' : '';

/**
 * The most header fields of a response; many proxies accept fewer than a hundred. The connection
 * limits their total size.
 */
const MOST_FIELDS = 128;

/** Digits only: `1e3`, `0x10` and `-1` are not lengths. */
export const decimal = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
};

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Altered on the way (203), or a success that is not in the registry of IANA: like 200 (RFC 9110
 * section 15).
 */
const isLikeSuccess = (status: number): boolean => status === 203 || (status > 208 && status < 300 && status !== 226);

/**
 * Unknown ones count as the first of their class (RFC 9110 section 15), and those beyond 599 as 500.
 * Those of a server that cannot serve the request, whenever it comes, are not tried again.
 */
const REFUSALS: Readonly<Record<number, ErrorCode>> = {
  401: 'SOURCE_REFUSED',
  403: 'SOURCE_REFUSED',
  404: 'SOURCE_MISSING',
  407: 'SOURCE_REFUSED',
  408: 'SOURCE_FAILED',
  410: 'SOURCE_MISSING',
  429: 'SOURCE_BUSY',
  501: 'SOURCE_STATUS',
  503: 'SOURCE_BUSY',
  505: 'SOURCE_STATUS',
  506: 'SOURCE_STATUS',
  507: 'SOURCE_STATUS',
  508: 'SOURCE_STATUS',
  510: 'SOURCE_STATUS',
  511: 'SOURCE_STATUS',
};

const refused = (
  code: ErrorCode,
  url: URL,
  what: string,
  sourceStatus: number,
  more: { readonly retryAfter?: number; readonly length?: number } = {},
): Answer => ({
  type: 'refused',
  error: new StreamError(code, 'feed', `${sayUrl(url)} ${what}`, { sourceStatus, ...more }),
});

const STRONG = /^"[^"]*"$/;

/** A head of the whole, or of a part. */
export const headOf = (
  status: number,
  headers: readonly Header[],
  length: number | undefined,
  { first = 0, last }: Partial<Part> = {},
): SourceHead => {
  const etag = field(headers, 'etag');
  const strong = etag !== undefined && STRONG.test(etag) ? etag : undefined;
  return { type: 'head', status, headers, length, from: first, ...(last !== undefined && { last }), etag: strong };
};

/** The boundary of a body of parts; undefined if the fields announce another body. */
export const boundaryOf = (headers: readonly Header[]): string | undefined => {
  const [, quoted, plain] =
    /^multipart\/byteranges *;(?:.*;)? *boundary=(?:"([^"]{1,70})"|([^ \t;"]{1,70}))/i.exec(
      trimBlanks(field(headers, 'content-type') ?? ''),
    ) ?? [];
  return quoted?.replace(/\\(.)/g, '$1') ?? plain;
};

/**
 * Reads a 206. It is usable only if it is one part, states the length of the whole, and has
 * everything requested (RFC 9110 section 14.4). It may start at another byte: the caller, which
 * knows the bytes already received, judges that.
 */
const part = (headers: readonly Header[], ask: Ask, url: URL): Answer => {
  const range = field(headers, 'content-range');
  const [first, last, total] = (/^bytes +(\d+)-(\d+)\/(\d+)$/i.exec(range ?? '') ?? []).slice(1).map(decimal);
  const wanted = total === undefined ? undefined : resolveRange({ first: ask.from, last: ask.last }, total);
  if (first === undefined || last === undefined || total === undefined || first > last || last !== wanted?.last) {
    const found = range === undefined ? 'without Content-Range' : `with Content-Range “${range}”`;
    return refused('NO_RANGE', url, `answered 206 ${found}; expected one part with all requested bytes`, 206);
  }
  const follows = decimal(field(headers, 'content-length')) ?? last - first + 1;
  return follows === last - first + 1
    ? headOf(206, headers, total, { first, ...(last < total - 1 && { last }) })
    : refused('NO_RANGE', url, `answered 206 with “${range}”, but a Content-Length of ${follows}`, 206);
};

/** `Content-Range: bytes *\/N` states the length of the whole (RFC 9110 section 15.5.17). */
const noPart = (headers: readonly Header[], { from, last }: Ask, url: URL): Answer => {
  const length = decimal(/^bytes +\*\/(\d+)$/i.exec(field(headers, 'content-range') ?? '')?.[1]);
  // In empty content every range is beyond the end, and nothing is missing.
  if (length !== undefined && (length === from || length === 0))
    return { type: 'nothing-left', head: headOf(416, headers, length, { first: length }) };
  return length === undefined || resolveRange({ first: from, last }, length)
    ? refused('NO_RANGE', url, 'answered 416', 416)
    : refused('UNSATISFIABLE', url, `answered 416: the file has only ${length} bytes`, 416, { length });
};

/** Milliseconds. The field has seconds or an HTTP date (RFC 9110 section 10.2.3). */
const retryAfter = (headers: readonly Header[], now: () => number): number | undefined => {
  const text = field(headers, 'retry-after');
  const seconds = decimal(text);
  if (seconds !== undefined) return seconds * 1000;
  const date = timeOfHttpDate(text);
  return date === undefined ? undefined : Math.max(0, date - now());
};
