import { type ServerResponse, STATUS_CODES } from 'node:http';
import { type BehaviorSubject, type Observable, tap } from 'rxjs';
import {
  type Chunk,
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
  /** Report every failure of the sources as 404. */
  readonly legacyErrors: boolean;
}

/** The supported methods. */
const ALLOW: Header = ['Allow', 'GET, HEAD, OPTIONS'];

/**
 * Writes a response as its events come, and moves the valve. The valve is closed while the socket
 * has enough, and opens when the socket has drained. A valve that is closed at the start opens at
 * once.
 *
 * This is the only code that touches `res`. A failure before the head becomes a small error
 * response. After the head the connection is reset, so that neither a cache nor a client takes a
 * part for the whole. When the client leaves, the events are unsubscribed from.
 */
export const respond = (
  res: ServerResponse,
  valve: BehaviorSubject<boolean>,
  events: Observable<StreamEvent>,
  { failed, ...how }: How & { readonly failed: (error: StreamError) => void },
): void => {
  /** Bytes of the body that are not written yet, if its length is known. */
  let left: number | undefined;

  const opens = () => {
    if (!valve.value && res.writableLength === 0) valve.next(true);
  };
  const write = (event: StreamEvent) => {
    if (isNote(event)) how.identity.observe(event);
    else if (event.type === 'head') {
      left = event.length;
      writeHead(res, event, how.identity.ofHead(event));
    } else if (event.type === 'chunk') {
      if (left !== undefined) left -= event.bytes.length;
      if (!writeChunk(res, event, left, opens)) valve.next(false);
    }
  };
  // An error thrown while writing fails the response, and unsubscribes from the sources.
  const subscription = events.pipe(tap(write)).subscribe({
    complete: () => res.end(),
    error: (thrown) => {
      const error = toStreamError(thrown);
      failed(error);
      // A plain end of the connection completes the body of an HTTP/1.0 response. Every client
      // understands a reset.
      if (res.headersSent) res.socket?.resetAndDestroy();
      else respondWithError(res, error, how);
    },
  });
  res.on('drain', opens);
  res.on('close', () => subscription.unsubscribe());
  if (!valve.value && !res.writableNeedDrain) valve.next(true);
};

/**
 * Writes bytes, retained until the kernel has them; then calls `taken`. Returns whether the kernel
 * took them at once.
 *
 * Node collects what is written in a turn of the event loop. More bytes may follow at once, so they
 * leave at once; the last ones wait for the end of the turn, and with them the client's belief that
 * it has everything. It can then rely on the effects of earlier notes, such as a save request.
 */
const writeChunk = (
  res: ServerResponse,
  { bytes, loan }: Chunk,
  left: number | undefined,
  taken: () => void,
): boolean => {
  loan?.retain();
  const isDrained = res.write(bytes, () => {
    loan?.release();
    taken();
  });
  if (left === undefined || left === 0) return isDrained;
  res.socket?.uncork();
  return res.writableLength === 0;
};

const writeHead = (
  res: ServerResponse,
  { status, length }: Pick<Head, 'status' | 'length'>,
  headers: readonly Header[],
): void => {
  const all = length === undefined ? headers : [...headers, ['Content-Length', String(length)] as const];
  res.writeHead(status, all.flat());
  // Node holds the head until the first chunk. If both come together, one write sends them; if not,
  // no client waits for the head.
  setImmediate(() => {
    if (!res.writableEnded && !res.destroyed) res.flushHeaders();
  });
};

/**
 * Answers OPTIONS, for a path as for the server: all paths have the same methods (RFC 9110 section
 * 9.3.7).
 */
export const respondWithMethods = (res: ServerResponse, { identity }: Pick<How, 'identity'>): void => {
  res.writeHead(204, [ALLOW, ...identity.ofRequest].flat());
  res.end();
};

/**
 * Seconds after which a client may retry: the default if the error states none, and the maximum.
 */
const RETRY_AFTER = { usual: 5, longest: 3600 };

/**
 * A short text that states the error, and never the location of a source. Caches must not keep it
 * (RFC 9111 section 5.2.2.5).
 */
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

/** The same as raw text, for input that is not a request. The connection is closed after it. */
export const errorAsText = (error: StreamError, how: How): string => {
  const { status, headers, body } = describe(error, how);
  const fields = [...headers, ['Date', new Date().toUTCString()], ['Connection', 'close']];
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
};
