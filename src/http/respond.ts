import { type ServerResponse, STATUS_CODES } from 'node:http';
import { type BehaviorSubject, type Observable, tap } from 'rxjs';
import {
  ERRORS,
  type Head,
  type Header,
  isNote,
  type StreamError,
  type StreamEvent,
  statusOf,
  toStreamError,
} from '../../pipelines/model/index.ts';
import type { Identity } from './identify.ts';

interface How {
  readonly identity: Identity;
  /** Whatever is wrong with the sources is told as 404. */
  readonly legacyErrors: boolean;
}

/** The methods that are answered. */
const ALLOW: Header = ['Allow', 'GET, HEAD, OPTIONS'];

/**
 * Writes a response as its events come, and moves the valve: closed while the socket has enough, open again when it drained, and from the
 * first if it was closed until now.
 * This is the only code that touches `res`. A failure before the head becomes a small error response; after it the connection is
 * reset, so that neither a cache nor a client takes a part for the whole. When the client leaves, the events are unsubscribed from.
 */
export const respond = (
  res: ServerResponse,
  valve: BehaviorSubject<boolean>,
  events: Observable<StreamEvent>,
  { failed, ...how }: How & { readonly failed: (error: StreamError) => void },
): void => {
  const write = (event: StreamEvent) => {
    if (isNote(event)) how.identity.observe(event);
    else if (event.type === 'head') writeHead(res, event, how.identity.ofHead(event));
    else if (event.type === 'chunk' && !res.write(event.bytes)) valve.next(false);
  };
  // Whatever is thrown in writing is the response's failure, and the sources' end.
  const subscription = events.pipe(tap(write)).subscribe({
    // Node holds the last chunk until this turn ends: who has all of it can rely on what was noted on the way, such as the wish to save.
    complete: () => res.end(),
    error: (thrown) => {
      const error = toStreamError(thrown);
      failed(error);
      // A mere end of the connection ends the body of an HTTP/1.0 response: only a reset is understood by everybody.
      if (res.headersSent) res.socket?.resetAndDestroy();
      else respondWithError(res, error, how);
    },
  });
  res.on('drain', () => valve.next(true));
  res.on('close', () => subscription.unsubscribe());
  if (!valve.value && !res.writableNeedDrain) valve.next(true);
};

const writeHead = (
  res: ServerResponse,
  { status, length }: Pick<Head, 'status' | 'length'>,
  headers: readonly Header[],
): void => {
  const all = length === undefined ? headers : [...headers, ['Content-Length', String(length)] as const];
  res.writeHead(status, all.flat());
  // Node holds the head until the first chunk: one write for both where they come together, but no client waits for it.
  setImmediate(() => {
    if (!res.writableEnded && !res.destroyed) res.flushHeaders();
  });
};

/** Answers OPTIONS, for a path as for the server: all paths have the same methods (RFC 9110 section 9.3.7). */
export const respondWithMethods = (res: ServerResponse, { identity }: Pick<How, 'identity'>): void => {
  res.writeHead(204, [ALLOW, ...identity.ofRequest].flat());
  res.end();
};

/** Seconds after which a client may try again where the error does not say, and at most. */
const RETRY_AFTER = { usual: 5, longest: 3600 };

/** A small text that says what is wrong, never where our sources are; caches must not keep it (RFC 9111 section 5.2.2.5). */
const describe = (error: StreamError, { identity, legacyErrors }: How) => {
  const status = statusOf(error.code, legacyErrors);
  const body = `${status} ${ERRORS[error.code].meaning}\n`;
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

export const respondWithError = (res: ServerResponse, error: StreamError, how: How): void => {
  const { status, headers, body } = describe(error, how);
  res.writeHead(status, headers.flat());
  res.end(body);
};

/** The same where no request can be made out, and the connection is to be closed. */
export const errorAsText = (error: StreamError, how: How): string => {
  const { status, headers, body } = describe(error, how);
  const fields = [...headers, ['Date', new Date().toUTCString()], ['Connection', 'close']];
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
};
