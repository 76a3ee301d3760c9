import querystring from 'node:querystring';
import type { Access, Ask, Header, Unless } from '../../../pipelines/model/index.ts';
import { asksRange } from '../../lib/asks-range.ts';

/** A request to a feed. It has no body. */
export interface FeedRequest {
  readonly method: 'GET' | 'HEAD';
  /** What of its URL a request states: the connection knows the origin. */
  readonly url: Pick<URL, 'host' | 'pathname' | 'search'>;
  /** The same array for each request with the same access, so that it can be written once. */
  readonly headers: readonly Header[];
  /** Those of this request alone: the range, the conditions, the cookies. */
  readonly more: readonly Header[];
}

/**
 * The request, from the requested byte on. It asks for the file without encoding
 * (`Accept-Encoding: identity`), so that bytes and headers agree. The feed's own header fields
 * replace ours of the same name. Cookies of the chain of redirects join those of the feed's own
 * field.
 */
export const feedRequest = (url: URL, access: Access, ask: Ask, userAgent: string, cookies?: string): FeedRequest => {
  const headers = headersFor(url, access, userAgent);
  const ranged = ask.unless ? [...rangeHeaders(ask), ...conditionHeaders(ask.unless)] : rangeHeaders(ask);
  const more = ask.trace ? [...ranged, ...traceHeaders(ask.trace)] : ranged;
  const request = { method: ask.method, url: withQuery(url, access), headers, more };
  return cookies === undefined ? request : withCookies(request, cookies);
};

/** One field has all cookies (RFC 6265 section 5.4). */
const withCookies = ({ headers, more, ...request }: FeedRequest, cookies: string): FeedRequest => {
  const isCookie = ([name]: Header) => name.toLowerCase() === 'cookie';
  const all = [...headers.filter(isCookie).map(([, value]) => value), cookies].join('; ');
  return { ...request, headers: headers.filter((header) => !isCookie(header)), more: [...more, ['Cookie', all]] };
};

/** The URL with the token of its feed, unless a redirect has it already. */
const withQuery = (url: URL, { query }: Access): URL => {
  if (query === undefined || `${url.search}&`.includes(`${query}&`)) return url;
  const asked = new URL(url);
  asked.search = url.search === '' ? query : `${url.search}&${query}`;
  return asked;
};

const headersFor = (url: URL, access: Access, userAgent: string): readonly Header[] => {
  const make = () => besides(access.headers ?? [], ownHeaders(url, access, userAgent));
  if (url.username || url.password) return make();
  const known = made.get(access);
  if (known?.userAgent === userAgent) return known.headers;
  const headers = make();
  made.set(access, { userAgent, headers });
  return headers;
};

const made = new WeakMap<Access, { readonly userAgent: string; readonly headers: readonly Header[] }>();

const rangeHeaders = (ask: Ask): readonly Header[] => {
  if (!asksRange(ask)) return [];
  const { from, last = '', parts, ifRange } = ask;
  const one = from < 0 ? `${from}` : `${from}-${last}`;
  const set = parts?.map(({ first, last }) => `${first}-${last}`).join(',') ?? one;
  const range: Header = ['Range', `bytes=${set}`];
  return ifRange === undefined ? [range] : [range, ['If-Range', ifRange]];
};

/** A list of tags that some server could refuse is left out: the whole answer is right as well. */
const conditionHeaders = (unless: Unless): readonly Header[] => {
  if ('modifiedSince' in unless) return [['If-Modified-Since', new Date(unless.modifiedSince).toUTCString()]];
  const tags = unless.etags.join(', ');
  return TAGS.test(tags) ? [['If-None-Match', tags]] : [];
};

const traceHeaders = ({ traceparent, tracestate }: NonNullable<Ask['trace']>): readonly Header[] => [
  ['Traceparent', traceparent],
  ...(tracestate === undefined ? [] : [['Tracestate', tracestate] as const]),
];

const TAGS = /^[\x20-\x7e]{1,1024}$/;

const ownHeaders = (url: URL, access: Access, userAgent: string): readonly Header[] => {
  const auth = basicAuth(url, access);
  const headers: readonly Header[] = [
    ['User-Agent', userAgent],
    ['Accept', '*/*'],
    ['Accept-Encoding', 'identity'],
  ];
  return auth === undefined ? headers : [...headers, ['Authorization', auth]];
};

/** The credentials of the source, otherwise those in the URL (RFC 7617). */
const basicAuth = (url: URL, access: Access): string | undefined => {
  const { username, password } = access.basicAuth ?? {
    username: querystring.unescape(url.username),
    password: querystring.unescape(url.password),
  };
  return username || password ? `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` : undefined;
};

const besides = (given: readonly Header[], own: readonly Header[]): readonly Header[] => {
  const names = new Set(given.map(([name]) => name.toLowerCase()));
  return [...own.filter(([name]) => !names.has(name.toLowerCase())), ...given];
};
