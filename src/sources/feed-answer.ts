import { type Ask, type ErrorCode, type Header, type SourceHead, StreamError } from '../../pipelines/model/index.ts';
import { sayUrl } from './feed-errors.ts';
import { asksRange } from './feed-request.ts';

/** What a feed's status and header fields mean to us. */
export type Answer =
  | SourceHead
  /** The range asked for begins where the file ends: there is a head, and not a byte after it. */
  | { readonly type: 'nothing-left'; readonly head: SourceHead }
  | { readonly type: 'redirect'; readonly status: number; readonly location: string | undefined }
  | { readonly type: 'refused'; readonly error: StreamError };

/**
 * Only 200 is taken, and 206 where a range was asked for and the whole rest of the file follows (RFC 9110 section 15.3.7):
 * anything else is somebody's error page, or not the file. A 416 that tells the very length asked from proves that nothing is missing.
 */
export const readAnswer = (status: number, headers: readonly Header[], ask: Ask, url: URL, now = Date.now): Answer => {
  if (headers.length > MOST_FIELDS)
    return refused('PROTOCOL_ERROR', url, `sent ${headers.length} header fields; taken are ${MOST_FIELDS}`, status);
  if (status === 200) return head(headers, 0, decimal(field(headers, 'content-length')));
  if (status === 206 && asksRange(ask)) return part(headers, url);
  if (status === 416 && asksRange(ask) && field(headers, 'content-range') === `bytes */${ask.from}`)
    return { type: 'nothing-left', head: head(headers, ask.from, ask.from) };
  if (REDIRECTS.has(status)) return { type: 'redirect', status, location: field(headers, 'location') };
  return refused(REFUSALS[status] ?? 'SOURCE_STATUS', url, `answered ${status}`, status, retryAfter(headers, now));
};

/** Header fields of an answer: many a proxy in front takes fewer than a hundred. How long they may be together is the connection's to say. */
const MOST_FIELDS = 128;

/** The first field of a name, given in lower case. */
export const field = (headers: readonly Header[], name: string): string | undefined =>
  headers.find((header) => header[0].length === name.length && header[0].toLowerCase() === name)?.[1];

/** Digits only: `1e3`, `0x10` and `-1` are no lengths. */
export const decimal = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
};

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const REFUSALS: Readonly<Record<number, ErrorCode>> = {
  401: 'SOURCE_REFUSED',
  403: 'SOURCE_REFUSED',
  404: 'SOURCE_MISSING',
  407: 'SOURCE_REFUSED',
  410: 'SOURCE_MISSING',
  416: 'NO_RANGE',
  429: 'SOURCE_BUSY',
  503: 'SOURCE_BUSY',
};

const refused = (code: ErrorCode, url: URL, what: string, sourceStatus: number, wait?: number): Answer => ({
  type: 'refused',
  error: new StreamError(code, 'feed', `${sayUrl(url)} ${what}`, { sourceStatus, retryAfter: wait }),
});

const STRONG = /^"[^"]*"$/;

const head = (headers: readonly Header[], from: number, length: number | undefined): SourceHead => {
  const etag = field(headers, 'etag');
  return { type: 'head', headers, length, from, etag: etag !== undefined && STRONG.test(etag) ? etag : undefined };
};

/** A part is of use only where it is one, says how long the whole is, and reaches to its end (RFC 9110 section 14.4). */
const part = (headers: readonly Header[], url: URL): Answer => {
  const range = field(headers, 'content-range');
  const [from, last, total] = (/^bytes +(\d+)-(\d+)\/(\d+)$/i.exec(range ?? '') ?? []).slice(1).map(decimal);
  const whole = from !== undefined && total !== undefined && from <= (last ?? -1) && last === total - 1;
  if (!whole) {
    const told = range === undefined ? 'without Content-Range' : `with Content-Range “${range}”`;
    return refused('NO_RANGE', url, `answered 206 ${told}; expected one part that reaches to the file’s end`, 206);
  }
  const follows = decimal(field(headers, 'content-length')) ?? total - from;
  return follows === total - from
    ? head(headers, from, total)
    : refused('NO_RANGE', url, `answered 206 with “${range}”, but a Content-Length of ${follows}`, 206);
};

/** Milliseconds; seconds or an HTTP date (RFC 9110 section 10.2.3). */
const retryAfter = (headers: readonly Header[], now: () => number): number | undefined => {
  const text = field(headers, 'retry-after');
  const seconds = decimal(text);
  if (seconds !== undefined) return seconds * 1000;
  const date = text !== undefined && / GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now());
};
