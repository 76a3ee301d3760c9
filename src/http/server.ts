import { type StreamError, statusOf } from '../../pipelines/model/index.ts';
import { createExchange } from './exchange.ts';
import { identify } from './identify.ts';
import { createTransferSlots, type TransferSlots, USUAL_LIMITS } from './limits.ts';
import { createListeners, type HttpServer } from './listeners.ts';
import { errorAsText } from './respond-briefly.ts';
import type { ServerOptions } from './server-options.ts';
import { tunnelFor } from './tunnel.ts';

/** Clients and their transfers, at one moment. */
export type Load = ReturnType<HttpServer['load']> & ReturnType<TransferSlots['taken']>;

export interface StreamerServer extends HttpServer {
  load(): Load;
}

/**
 * The HTTP side of the streamer: every request becomes a StreamRequest, every stream of events a
 * response.
 */
export const createHttpServer = (options: ServerOptions): StreamerServer => {
  const limits = options.limits ?? USUAL_LIMITS;
  const slots = createTransferSlots(limits);
  const refuse = (error: StreamError, client: string) => {
    const { newId, finished, identify: identified, legacyErrors } = options;
    const id = newId();
    finished({ id, method: '', target: '', status: statusOf(error.code), error, client, duration: 0 });
    return errorAsText(error, { identity: identify(id, identified), legacyErrors });
  };
  const listeners = createListeners(limits, {
    exchange: (req, res, fault) =>
      createExchange(req, res, fault, { ...options, slots, clientTimeout: limits.clientTimeout }),
    refuse,
    tunnel: (req) => {
      const { tunnels } = options;
      return tunnels && tunnelFor(req, { ...options, tunnels, slots, refuse });
    },
  });
  return { ...listeners, load: () => ({ ...listeners.load(), ...slots.taken() }) };
};
