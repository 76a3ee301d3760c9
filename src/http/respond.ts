import type { ServerResponse } from 'node:http';
import type { BehaviorSubject, Observable } from 'rxjs';
import {
  ERRORS,
  type Head,
  type StreamError,
  type StreamEvent,
  statusOf,
  toStreamError,
} from '../../pipelines/model/index.ts';

/**
 * Writes a response as its events come, and moves the valve: closed while the socket has enough, open again when it drained.
 * This is the only code that touches `res`. A failure before the head becomes a small error response; after it the connection is
 * reset, so that neither a cache nor a client takes a part for the whole. When the client leaves, the events are unsubscribed from.
 */
export const respond = (
  res: ServerResponse,
  valve: BehaviorSubject<boolean>,
  events: Observable<StreamEvent>,
): void => {
  const subscription = events.subscribe({
    next: (event) => {
      if (event.type === 'head') writeHead(res, event);
      else if (event.type === 'chunk' && !res.write(event.bytes)) valve.next(false);
    },
    complete: () => res.end(),
    error: (thrown) => {
      const error = toStreamError(thrown);
      // A mere end of the connection ends the body of an HTTP/1.0 response: only a reset is understood by everybody.
      if (res.headersSent) res.socket?.resetAndDestroy();
      else respondWithError(res, error);
    },
  });
  res.on('drain', () => valve.next(true));
  res.on('close', () => subscription.unsubscribe());
};

const writeHead = (res: ServerResponse, { headers, length }: Head): void => {
  const all = length === undefined ? headers : [...headers, ['Content-Length', String(length)] as const];
  res.writeHead(200, all.flat());
  // Node holds the head until the first chunk: one write for both where they come together, but no client waits for it.
  setImmediate(() => {
    if (!res.writableEnded && !res.destroyed) res.flushHeaders();
  });
};

/** Seconds after which a client may try again where the error does not say. */
const RETRY_AFTER = 5;

/** A small text that says what is wrong, never where our sources are; caches must not keep it (RFC 9111 section 5.2.2.5). */
export const respondWithError = (res: ServerResponse, error: StreamError): void => {
  const status = statusOf(error.code);
  const body = `${status} ${ERRORS[error.code].meaning}\n`;
  const retryAfter = Math.ceil((error.retryAfter ?? RETRY_AFTER * 1000) / 1000);
  res.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    ...(status === 405 && { Allow: 'GET, HEAD' }),
    ...(status === 503 && { 'Retry-After': retryAfter }),
  });
  res.end(body);
};
