import { StreamError, statusOf } from '../../pipelines/model/index.ts';
import type { Exchange } from './connection.ts';
import { createExchange } from './exchange.ts';
import { identify } from './identify.ts';
import { createTransferSlots, type TransferSlots, USUAL_LIMITS } from './limits.ts';
import { type Answers, createListeners, type HttpServer } from './listeners.ts';
import { createRelay, relayedFrom } from './relay.ts';
import { errorAsText } from './respond-briefly.ts';
import type { ServerOptions } from './server-options.ts';
import { tunnelFor } from './tunnel.ts';

/** Clients and their transfers, at one moment. */
export type Load = ReturnType<HttpServer['load']> & ReturnType<TransferSlots['taken']>;

export interface StreamerServer extends HttpServer {
  load(): Load;
  /**
   * Makes a server that answers what other processes of the daemon relay (`ServerOptions.relays`). It
   * counts neither connections nor their requests, and both servers share the places for transfers.
   */
  forRelays(): HttpServer;
}

/** What the process that relays has judged already is not limited again. */
const OF_RELAYS = { connections: 0, requestsPerConnection: 0, targetLength: Number.POSITIVE_INFINITY };
/** Bytes of the field that a relay adds, and more. */
const ADDED = 1024;

/**
 * The HTTP side of the streamer: every request becomes a StreamRequest, every stream of events a
 * response.
 */
export const createHttpServer = (options: ServerOptions): StreamerServer => {
  const { relays } = options;
  const limits = options.limits ?? USUAL_LIMITS;
  const slots = createTransferSlots(limits);
  const all = () => ({ ...options, slots, clientTimeout: limits.clientTimeout });
  const answer = (...[req, res, fault]: Parameters<Answers['exchange']>) => createExchange(req, res, fault, all());
  const relaying = (...asked: Parameters<Answers['exchange']>): Exchange => {
    const [req, res, fault] = asked;
    const { method } = req;
    const owner = fault || (method !== 'GET' && method !== 'HEAD') ? undefined : relays?.ownerOf(req.url ?? '');
    if (!relays || owner === undefined) return answer(...asked);
    const { clientTimeout } = limits;
    return createRelay(req, res, {
      send: (...sent) => relays.send(owner, ...sent),
      clientTimeout,
      alone: () => answer(...asked),
    });
  };
  const refuse: Answers['refuse'] = (error, client, { method = '', url: target = '' } = {}) => {
    const { newId, finished, identify: identified, legacyErrors } = options;
    const id = newId();
    finished({ id, method, target, status: statusOf(error.code), error, client, duration: 0 });
    return errorAsText(error, { identity: identify(id, identified), legacyErrors });
  };
  const listeners = createListeners(limits, {
    exchange: relays ? relaying : answer,
    refuse,
    tunnel: (req, isAlone) => {
      const { tunnels } = options;
      // Before there is a tunnel: it holds a place.
      if (tunnels && !isAlone)
        throw new StreamError('BAD_REQUEST', 'client', 'CONNECT follows requests that are not answered yet');
      return tunnels && tunnelFor(req, { ...options, tunnels, slots, refuse });
    },
  });
  return {
    ...listeners,
    load: () => ({ ...listeners.load(), ...slots.taken() }),
    forRelays: () =>
      createListeners(
        { ...limits, ...OF_RELAYS, headerSize: limits.headerSize + ADDED },
        {
          exchange: (req, res, fault) => createExchange(req, res, fault, { ...all(), asking: relayedFrom(req) }),
          refuse,
        },
      ),
  };
};
