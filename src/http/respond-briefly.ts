import { type ServerResponse, STATUS_CODES } from 'node:http';
import { ERRORS, type Header, type StreamError, statusOf } from '../../pipelines/model/index.ts';
import { end } from './end.ts';
import type { Identity } from './identify.ts';

/** How a response is written. */
export interface How {
  readonly identity: Identity;
  /** Report every failure of the sources as 404. */
  readonly legacyErrors: boolean;
  /** Milliseconds in which a client may read nothing of a written response. 0: no limit. */
  readonly clientTimeout: number;
}

/** The supported methods. */
const ALLOW: Header = ['Allow', 'GET, HEAD, OPTIONS'];

/**
 * Answers OPTIONS, for a path as for the server: all paths have the same methods (RFC 9110 section
 * 9.3.7).
 */
export const respondWithMethods = (res: ServerResponse, how: How): void => {
  res.writeHead(204, [ALLOW, ...how.identity.ofRequest].flat());
  end(res, undefined, how.clientTimeout);
};

export const respondWithError = (res: ServerResponse, error: StreamError, how: How): void => {
  const { status, headers, body } = describe(error, how);
  res.writeHead(status, headers.flat());
  end(res, body, how.clientTimeout);
};

/**
 * Seconds after which a client may retry: the default if the error states none, and the maximum.
 */
const RETRY_AFTER = { usual: 5, longest: 3600 };

/**
 * A short text that states the error, and never the location of a source. Caches must not keep it
 * (RFC 9111 section 5.2.2.5).
 */
const describe = (error: StreamError, { identity, legacyErrors }: Pick<How, 'identity' | 'legacyErrors'>) => {
  const status = statusOf(error.code, legacyErrors);
  const told = error.told === undefined ? '' : `: ${error.told}`;
  const body = `${status} ${ERRORS[error.code].meaning}${told}\n`;
  const { usual, longest } = RETRY_AFTER;
  const retryAfter = Math.min(longest, Math.ceil((error.retryAfter ?? usual * 1000) / 1000));
  const headers: readonly Header[] = [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(Buffer.byteLength(body))],
    ['Cache-Control', 'no-store'],
    ...(status === 405 ? [ALLOW] : []),
    ...(error.length === undefined ? [] : [['Content-Range', `bytes */${error.length}`] as const]),
    ...(status === 503 || status === 429 ? [['Retry-After', String(retryAfter)] as const] : []),
    ...identity.ofError(error),
  ];
  return { status, headers, body };
};

/** The same as raw text, for input that is not a request. The connection is closed after it. */
export const errorAsText = (error: StreamError, how: Pick<How, 'identity' | 'legacyErrors'>): string => {
  const { status, headers, body } = describe(error, how);
  const fields = [...headers, ['Date', new Date().toUTCString()], ['Connection', 'close']];
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
};
