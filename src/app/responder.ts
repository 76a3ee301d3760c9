import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { settingsOf } from '../config/from-options.ts';
import type { EmbeddedOptions } from '../config/options.ts';
import type { Settings } from '../config/schema.ts';
import { askedAs } from '../http/asked-as.ts';
import { handOverTo } from '../http/hand-over.ts';
import { createTransferSlots } from '../http/limits.ts';
import type { FinishedRequest } from '../lib/finished-request.ts';
import { openAuthorization } from './authorization.ts';
import type { Streamer } from './compose.ts';
import { limitsOf } from './http-limits.ts';

/** How one request is answered. */
export interface RespondOptions {
  /**
   * What is asked for: path and query, not percent-decoded. Default: `req.url`, from which Express has
   * removed the path that the handler is mounted at.
   */
  readonly url?: string;
}

/**
 * Answers a request of a server of `node:http` or `node:https`, also below a framework: head and
 * body as the daemon answers, with ranges, conditions and error statuses, as fast as the client
 * reads. Nothing may be written to the response before or afterwards.
 *
 * A failure after the head cuts the connection, so that no client takes a part for the whole. If the
 * client leaves, everything that is open is closed at once. Resolves to the result once the response
 * is over, whatever it was. Rejects only with a TypeError: for HTTP/2, and for a response that has
 * already begun.
 */
export type Respond = (req: IncomingMessage, res: ServerResponse, options?: RespondOptions) => Promise<FinishedRequest>;

/**
 * Makes the function that answers requests with a streamer, such as a composed one. The options that
 * concern responses apply: `legacyErrors`, `via`, `trustedProxies`, `maxTransfers`, `signedUrls` …
 * Throws a ConfigError if one is not valid.
 */
export const createResponder = (streamer: Pick<Streamer, 'fetch'>, options: EmbeddedOptions = {}): Respond =>
  responderOf(settingsOf(options))(streamer.fetch);

/** The same by settings. */
export const responderOf = (settings: Settings): ((fetch: Streamer['fetch']) => Respond) => {
  const { clientOf, pathFor } = openAuthorization(settings);
  const { publicUrl, trustedProxies, sendfileProxies, legacyErrors } = settings;
  const limits = limitsOf(settings);
  const parts = {
    clientOf,
    askedAs: askedAs({ publicUrl, trusted: trustedProxies }),
    handOverFor: sendfileProxies.length > 0 ? handOverTo(sendfileProxies) : undefined,
    newId: randomUUID,
    now: () => performance.now(),
    identify: settings,
    legacyErrors,
    slots: createTransferSlots(limits),
    clientTimeout: limits.clientTimeout,
  };
  return (fetch) =>
    async (req, res, { url } = {}) => {
      if (req.httpVersionMajor !== 1)
        throw new TypeError(`expected a request over HTTP/1, found HTTP/${req.httpVersion}`);
      if (res.headersSent) throw new TypeError('expected a response that has not begun');
      // Node would send chunks to an HTTP/1.0 client that has a `TE` for them (RFC 9112 section 6.1).
      if (req.httpVersion !== '1.1') res.useChunkedEncodingByDefault = false;
      // It loads `node:http`: not before there is a server.
      const { createExchange } = await import('../http/exchange.ts');
      return new Promise((finished) => {
        createExchange(req, res, undefined, {
          ...parts,
          fetch: (request, report) => fetch(request.path, { ...request, report }),
          pathFor: (target, client) => pathFor(url ?? target, client),
          finished,
        }).answer();
      });
    };
};
