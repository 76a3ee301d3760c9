import type { Dispatcher } from 'undici';
import { field } from '../../../../pipelines/model/index.ts';
import { decimal } from '../answer.ts';
import { type Connection, type Exchange, type Listener, REST } from '../connection.ts';
import type { ConnectionOptions } from '../connection-options.ts';
import { malformed } from '../http1/errors.ts';
import { framingOf } from '../http1/framing.ts';
import { MOST_INTERIM } from '../http1/response.ts';
import { plainHost } from '../reach.ts';
import type { FeedRequest } from '../request.ts';
import { isOfTls } from '../tls-reasons.ts';
import { clientThrough, type ProxyAccess } from './client.ts';
import { headersOf, isUnauthenticated, refusedBy } from './proxy-errors.ts';

/** A connection by undici, which knows all kinds of proxies. */
export const undiciConnection = (proxy: ProxyAccess, origin: URL, options: ConnectionOptions): Connection => {
  const host = plainHost(origin.hostname);
  const { dispatcher, hangUp, broken, naming } = clientThrough(proxy, options);

  const send = (request: FeedRequest, listener: Listener, done: () => void): Exchange => {
    let controller: Dispatcher.DispatchController | undefined;
    let paused = false;
    let over = false;
    let interim = 0;
    let rest: NodeJS.Timeout | undefined;

    const endWith = (notify: () => void) => {
      if (over) return;
      over = true;
      notify();
    };

    const end = (notify: () => void) => {
      clearTimeout(rest);
      done();
      endWith(notify);
    };

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (started) => {
        // If this throws here, undici drops the request and keeps the connection. Aborting would
        // close the connection.
        if (over) throw new Error('the request was abandoned');
        controller = started;
        if (paused) started.pause();
      },
      onResponseStart: (started, status) => {
        if (over) return;
        // undici counts no interim responses, and reads any coding of the transfer.
        if (status < 200 && ++interim > MOST_INTERIM) throw malformed(`more than ${MOST_INTERIM} interim responses`);
        if (status < 200) return;
        const headers = headersOf(started.rawHeaders);
        framingOf(request.method, { status, headers, isOld: false });
        if (listener.head(status, headers) || over) return;
        over = true;
        const length = decimal(field(headers, 'content-length')) ?? Number.POSITIVE_INFINITY;
        if (length > REST.bytes) return started.abort(new Error('the body is not wanted'));
        started.resume();
        rest = setTimeout(
          () => started.abort(new Error('the rest of an unwanted body takes too long')),
          REST.timeoutMs,
        ).unref();
      },
      onResponseData: (_, bytes) => {
        // A parser that is resumed within a body may first deliver nothing.
        if (!over && bytes.length > 0) listener.data(bytes);
      },
      onResponseEnd: () => {
        // undici takes a reset for the end of a body that has neither length nor chunks. It is a
        // failure like any other reset.
        const reset = broken();
        end(reset ? () => listener.error(reset) : listener.end);
      },
      onResponseError: (started, error) => {
        const raw = started?.rawHeaders;
        if (!over && isUnauthenticated(error)) {
          endWith(() => listener.error(refusedBy(new URL(proxy.url), 407, headersOf(raw))));
          // undici would read the whole body first. This calls here again.
          return started.abort(new Error('the body is not wanted'));
        }
        // Of http, only the connection to the proxy has TLS. Its client certificate may be refused after the handshake.
        const isOfProxy = !raw && origin.protocol === 'http:' && isOfTls(error);
        return end(() => listener.error(isOfProxy ? naming(error) : error));
      },
    };

    // undici's parser must not be re-entered. A failed or redirected response starts the next
    // request from within it.
    queueMicrotask(() => {
      if (over) return done();
      try {
        options.reach.judgeName(host, options.home ?? host);
        dispatcher.dispatch(optionsOf(origin, request), handler);
      } catch (error) {
        end(() => listener.error(error));
      }
    });

    return {
      pause: () => {
        paused = true;
        controller?.pause();
      },
      resume: () => {
        paused = false;
        // Not at once, for the same reason: another response's chunk may have opened the valve.
        queueMicrotask(() => {
          if (!paused && !over) controller?.resume();
        });
      },
      abort: () => {
        if (over) return;
        over = true;
        if (controller) controller.abort(new Error('the request was abandoned'));
        else hangUp();
      },
    };
  };

  return { send, close: () => dispatcher.destroy() };
};

/** The pipeline times head and stalls, so there are no timeouts here. */
const optionsOf = (origin: URL, { method, url, headers, more }: FeedRequest): Dispatcher.DispatchOptions => ({
  origin: origin.origin,
  path: url.pathname + url.search,
  method,
  headers: [...headers, ...more].flat(),
  headersTimeout: 0,
  bodyTimeout: 0,
});
