import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { BehaviorSubject, type Observable } from 'rxjs';
import {
  type Report,
  StreamError,
  type StreamEvent,
  type StreamRequest,
  toStreamError,
} from '../../pipelines/model/index.ts';
import { type Asking, peerAddress } from './client-address.ts';
import { conditionsOf } from './conditions.ts';
import { type Identify, identify, requestIdOf } from './identify.ts';
import { createListeners, type HttpServer } from './listeners.ts';
import { rangesOf } from './range.ts';
import { respond, respondWithError } from './respond.ts';
import { pathOfTarget } from './target.ts';

/** One request as the client experienced it, told once it is over. */
export interface Served {
  readonly id: string;
  readonly method: string;
  readonly target: string;
  /** What the client was told; 499 where it left before the end. */
  readonly status: number;
  /** Absent for requests that never came to the pipeline. */
  readonly report?: Report;
  readonly error?: StreamError;
  /** Its address, as well as we can know it. */
  readonly client: string;
  /** Milliseconds. */
  readonly duration: number;
}

interface ServerOptions {
  /** Answers one request; `report` is called once with what happened. */
  readonly fetch: (request: StreamRequest, report: (report: Report) => void) => Observable<StreamEvent>;
  /** Who asks. Default: the peer of the connection. */
  readonly clientOf?: (asking: Asking) => string;
  /** The path that a target means; throws a StreamError where it means none, or where the client may not have it. Default: as it stands there. */
  readonly pathFor?: (target: string, client: string) => string;
  readonly served: (served: Served) => void;
  readonly newId: () => string;
  /** Milliseconds. */
  readonly now: () => number;
  /** What responses tell about how they came about. */
  readonly identify: Identify;
  /** Whether all that is wrong with sources is told as 404, as in Pulp 2. */
  readonly legacyErrors: boolean;
}

/** Idle connections of a cache in front are kept longer than the cache keeps them: it is the one who knows when it is done. */
const KEEP_ALIVE = 125_000;
/** Bytes that wait in a socket before the valve closes. */
const HIGH_WATER_MARK = 64 * 1024;

/** The HTTP side of the streamer: every request becomes a StreamRequest, every stream of events a response. */
export const createHttpServer = (options: ServerOptions): HttpServer =>
  createListeners(
    { keepAliveTimeout: KEEP_ALIVE, highWaterMark: HIGH_WATER_MARK },
    (req, res) => handle(req, res, options),
    refuse,
  );

const handle = (req: IncomingMessage, res: ServerResponse, options: ServerOptions): void => {
  const { fetch, clientOf = peerAddress, pathFor = pathOfTarget, served, newId, now, legacyErrors } = options;
  const began = now();
  const id = (options.identify.requestId && requestIdOf(req)) || newId();
  const how = { identity: identify(id, options.identify), legacyErrors };
  const { method = '', url: target = '' } = req;
  const client = clientOf(req);
  let report: Report | undefined;
  let failure: StreamError | undefined;
  const failed = (error: StreamError) => {
    failure = error;
  };

  try {
    if (method !== 'GET' && method !== 'HEAD')
      throw new StreamError('METHOD_NOT_ALLOWED', 'client', `expected GET or HEAD, found ${method}`);
    const path = pathFor(target, client);
    const valve = new BehaviorSubject(true);
    const record = req.headers['pulp-stream-request']?.toString().toLowerCase() !== 'true';
    const traceparent = traceparentOf(req);
    const ranges = rangesOf(req.headers.range);
    const conditions = conditionsOf(req.headers);
    const events = fetch({ id, method, path, valve, ranges, conditions, record, traceparent }, (told) => {
      report = told;
    });
    respond(res, valve, events, { ...how, failed });
  } catch (thrown) {
    failure = toStreamError(thrown);
    respondWithError(res, failure, how);
  }
  // Node would end a half-closed connection as soon as what was written is out, in mid-body too: where the body has no length that looks whole.
  const halfClosed = () => {
    if (!res.writableEnded) req.socket.resetAndDestroy();
  };
  req.socket.prependOnceListener('end', halfClosed);
  // After `respond`, whose own listener unsubscribes when the client leaves: only then is the report made.
  res.on('close', () => {
    req.socket.off('end', halfClosed);
    const status = res.writableFinished ? res.statusCode : report?.outcome === 'failed' ? res.statusCode : 499;
    served({ id, method, target, status, report, error: failure, client, duration: now() - began });
  });
};

/** A header that is not well-formed counts as none: https://www.w3.org/TR/trace-context/#traceparent-header */
const traceparentOf = ({ headers: { traceparent } }: IncomingMessage): string | undefined =>
  typeof traceparent === 'string' && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent)
    ? traceparent
    : undefined;

/** What Node's parser refuses never becomes a request: it is answered here, once, and the connection closed. */
const refuse = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, text] = REFUSALS[error.code ?? ''] ?? ['400 Bad Request', 'the request is malformed'];
  const body = `${status.slice(0, 3)} ${text}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n` +
      `Cache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  );
};

const REFUSALS: Readonly<Record<string, readonly [status: string, text: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the header fields are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not come in time'],
};
