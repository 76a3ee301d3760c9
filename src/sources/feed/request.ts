import querystring from 'node:querystring';
import type { Dispatcher } from 'undici';
import type { Access, Ask, Header } from '../../../pipelines/model/index.ts';
import { asksRange } from '../asks-range.ts';

/**
 * The request for undici, from the requested byte on. It asks for the file without encoding
 * (`Accept-Encoding: identity`), so that bytes and headers agree. The feed's own header fields
 * replace ours of the same name. The pipeline times head and stalls, so there are no timeouts here.
 */
export const feedRequest = (url: URL, access: Access, ask: Ask, userAgent: string): Dispatcher.DispatchOptions => ({
  origin: url.origin,
  path: url.pathname + url.search,
  method: ask.method,
  headers: [...besides(access.headers ?? [], ownHeaders(url, access, userAgent)), ...rangeHeaders(ask)].flat(),
  headersTimeout: 0,
  bodyTimeout: 0,
});

const rangeHeaders = (ask: Ask): readonly Header[] => {
  if (!asksRange(ask)) return [];
  const { from, last = '', ifRange } = ask;
  const range: Header = ['Range', from < 0 ? `bytes=${from}` : `bytes=${from}-${last}`];
  return ifRange === undefined ? [range] : [range, ['If-Range', ifRange]];
};

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
