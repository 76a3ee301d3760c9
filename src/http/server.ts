import type { IncomingMessage, ServerResponse } from 'node:http';
import { BehaviorSubject, type Observable } from 'rxjs';
import {
  type Report,
  StreamError,
  type StreamEvent,
  type StreamRequest,
  statusOf,
  toStreamError,
} from '../../pipelines/model/index.ts';
import { type Asking, peerAddress } from './client-address.ts';
import { conditionsOf } from './conditions.ts';
import { type Identify, identify, requestIdOf } from './identify.ts';
import { createRoom, type Limits, type Room, USUAL_LIMITS } from './limits.ts';
import { createListeners, type HttpServer } from './listeners.ts';
import { rangesOf } from './range.ts';
import { errorAsText, respond, respondWithError } from './respond.ts';
import { pathOfTarget } from './target.ts';

/** One request as the client experienced it, told once it is over. */
export interface Served {
  readonly id: string;
  /** Empty, as the target is, where no request could be made out. */
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
  /** What clients may have of us; some of each by default. */
  readonly limits?: Limits;
}

/** The HTTP side of the streamer: every request becomes a StreamRequest, every stream of events a response. */
export const createHttpServer = (options: ServerOptions): HttpServer => {
  const limits = options.limits ?? USUAL_LIMITS;
  const room = createRoom(limits);
  return createListeners(limits, {
    answer: (req, res, fault) => {
      handle(req, res, fault, room, options);
      if (limits.clientTimeout > 0) watch(res, limits.clientTimeout);
    },
    refuse: (error, client) => {
      const { newId, served, identify: identified, legacyErrors } = options;
      const id = newId();
      served({ id, method: '', target: '', status: statusOf(error.code), error, client, duration: 0 });
      return errorAsText(error, { identity: identify(id, identified), legacyErrors });
    },
  });
};

const handle = (
  req: IncomingMessage,
  res: ServerResponse,
  fault: StreamError | undefined,
  room: Room,
  options: ServerOptions,
): void => {
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
    if (fault) throw fault;
    const path = pathFor(target, client);
    const valve = new BehaviorSubject(true);
    const record = req.headers['pulp-stream-request']?.toString().toLowerCase() !== 'true';
    const traceparent = traceparentOf(req);
    const ranges = rangesOf(req.headers.range);
    const conditions = conditionsOf(req.headers);
    res.on('close', room.enter(client));
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

/**
 * Resets the connection of a client that takes nothing of a response which is written to its end: as long as it is not, that is for the
 * pipeline to see to. Node counts from the last byte that the client took, or sent.
 */
const watch = (res: ServerResponse, within: number): void => {
  res.setTimeout(within, () => {
    if (res.writableEnded) res.socket?.resetAndDestroy();
    else res.setTimeout(within);
  });
};

/** A header that is not well-formed counts as none: https://www.w3.org/TR/trace-context/#traceparent-header */
const traceparentOf = ({ headers: { traceparent } }: IncomingMessage): string | undefined =>
  typeof traceparent === 'string' && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent)
    ? traceparent
    : undefined;
