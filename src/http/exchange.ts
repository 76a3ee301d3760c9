import type { IncomingMessage, ServerResponse } from 'node:http';
import { defer, type Observable, tap } from 'rxjs';
import { type Report, StreamError, type StreamEvent, toStreamError } from '../../pipelines/model/index.ts';
import { Gate } from '../../pipelines/operators/flow.ts';
import { createAhead, type Started } from './ahead.ts';
import { peerAddress } from './client-address.ts';
import type { Exchange } from './connection.ts';
import { identify, requestIdOf } from './identify.ts';
import type { TransferSlots } from './limits.ts';
import { respond, respondWithError, respondWithMethods } from './respond.ts';
import type { ServerOptions } from './server-options.ts';
import { askedOf } from './stream-request.ts';
import { pathOfTarget, targetOf } from './target.ts';

interface ExchangeOptions extends ServerOptions {
  readonly slots: TransferSlots;
  /** Milliseconds in which a client may read nothing of the data that waits for it. 0: no limit. */
  readonly clientTimeout: number;
}

/**
 * Answers one request with the events of `fetch`, or with an error. `fault` is an error that is
 * known already.
 */
export const createExchange = (
  req: IncomingMessage,
  res: ServerResponse,
  fault: StreamError | undefined,
  options: ExchangeOptions,
): Exchange => {
  const { fetch, clientOf = peerAddress, pathFor = pathOfTarget, finished, newId, now, legacyErrors } = options;
  const { slots, clientTimeout } = options;
  const id = (options.identify.requestId && requestIdOf(req)) || newId();
  const how = { identity: identify(id, options.identify), legacyErrors };
  const { method = '', url = '' } = req;
  const target = targetOf(url);
  const client = clientOf(req);
  let began = now();
  let report: Report | undefined;

  const start = (open: boolean, giveWay?: () => void): Started => {
    if (method !== 'GET' && method !== 'HEAD')
      throw new StreamError('METHOD_NOT_ALLOWED', 'client', `expected GET or HEAD, found ${method}`);
    if (fault) throw fault;
    const path = pathFor(target, client);
    const asked = askedOf(req);
    const valve = new Gate(open);
    const place = slots.enter(client, giveWay);
    const events = defer(() =>
      fetch({ id, method, path, valve, ...asked }, (made) => {
        report = made;
      }),
    );
    return { valve, place, events };
  };

  const ahead = createAhead({
    start: (giveWay) => {
      began = now();
      return start(false, giveWay);
    },
    clientTimeout,
    ended: () => {
      report = undefined;
    },
  });

  const answer = () => {
    const begun = ahead.take();
    if (!begun) began = now();
    let failure: StreamError | undefined;
    const failed = (error: StreamError) => {
      failure = error;
    };
    try {
      if (method === 'OPTIONS') {
        if (fault) throw fault;
        respondWithMethods(res, how);
      } else {
        const { valve, place, events } = begun ?? start(true);
        res.on('close', place.leave);
        respond(res, valve, holdLast(res, events), { ...how, failed });
      }
    } catch (thrown) {
      failure = toStreamError(thrown);
      respondWithError(res, failure, how);
    }
    // Node would end a half-closed connection as soon as the written data is out, also mid-body. A
    // body without a length would then look complete.
    const halfClosed = () => {
      if (!res.writableEnded) req.socket.resetAndDestroy();
    };
    req.socket.prependOnceListener('end', halfClosed);
    // After `respond`, whose own listener unsubscribes when the client leaves: the report is made
    // only then.
    res.on('close', () => {
      req.socket.off('end', halfClosed);
      const status = res.writableFinished ? res.statusCode : report?.outcome === 'failed' ? res.statusCode : 499;
      finish(status, failure);
    });
    if (clientTimeout > 0) watch(res, clientTimeout);
  };

  const leave = () => {
    if (ahead.leave()) finish(499);
  };

  const finish = (status: number, error?: StreamError) =>
    finished({ id, method, target, status, report, error, client, duration: now() - began });

  return fault || (method !== 'GET' && method !== 'HEAD') ? { answer } : { begin: ahead.begin, answer, leave };
};

/**
 * Keeps the last bytes in the socket for the rest of the turn of the event loop, in which the save
 * request is written. They came in the same turn as the `recorded` note, so the socket has not sent
 * them yet. The end follows once it is written, and sends them.
 */
const holdLast = (res: ServerResponse, events: Observable<StreamEvent>): Observable<StreamEvent> => {
  let writes = 0;
  return events.pipe(
    tap(({ type }) => {
      if (type === 'chunk') writes += 1;
      const { socket } = res;
      if (type !== 'recorded' || !socket) return;
      // Node will uncork up to once for each write. The socket waits if it is corked more often.
      for (; writes >= 0; writes -= 1) socket.cork();
      // More may follow: another range, for which the client has to read this one.
      setImmediate(() => {
        while (socket.writableCorked > 0) socket.uncork();
      });
    }),
  );
};

/**
 * Resets the connection if the client stops reading after the whole response was written. Until it
 * is written, the pipeline watches the client. Node counts from the last byte that the client read
 * or sent.
 */
const watch = (res: ServerResponse, timeoutMs: number): void => {
  res.setTimeout(timeoutMs, () => {
    if (res.writableEnded) res.socket?.resetAndDestroy();
    else res.setTimeout(timeoutMs);
  });
};
