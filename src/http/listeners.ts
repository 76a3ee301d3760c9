import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { StreamError, toStreamError } from '../../pipelines/model/index.ts';
import type { OpenSocket } from '../lib/open-socket.ts';
import type { ListenAddress } from './addresses.ts';
import { bind, closeListener, endServer, listenOn, listenOnOpen } from './bind.ts';
import type { Exchange } from './connection.ts';
import { createConnections } from './connections.ts';
import type { ConnectionLimits } from './limits.ts';
import { createNodeServer, retime } from './node-server.ts';
import { restoreTarget } from './raw-targets.ts';
import { faultOf, faultOfParser } from './strict.ts';
import type { OpenTunnel } from './tunnel.ts';
import { wantsUpgrade } from './upgrade.ts';

export interface HttpServer {
  /**
   * Resolves to the bound addresses, once all are listening: those given, with this port, and those
   * of sockets that are open already. Rejects, and closes all, if one address is not available.
   */
  listen(places: readonly (ListenAddress | OpenSocket)[], port: number): Promise<readonly AddressInfo[]>;
  /** Listens on a unix socket, which must not exist yet. Rejects with the system's error. */
  listenAt(path: string): Promise<void>;
  /**
   * With `true`, each connection ends after its next response, so that clients come back through
   * their load balancer. Requests are answered as before.
   */
  drain(draining: boolean): void;
  /** Resolves once no request is being answered, at once if none is. */
  idle(): Promise<void>;
  /** Applies the times in the limits, which have changed, to the listeners. */
  retime(): void;
  /**
   * Accepts no more requests. Resolves once the running ones have ended; after `timeoutMs` they are
   * reset.
   */
  stop(timeoutMs: number): Promise<void>;
  /**
   * Open connections, those of them with a request, and those whose response waits for its client;
   * and the requests so far.
   */
  load(): {
    readonly connections: number;
    readonly busy: number;
    readonly paused: number;
    readonly arrived: number;
  };
}

export interface Answers {
  /**
   * Answers a request. `fault` is the reason to refuse it: it is malformed, or there are too many
   * connections.
   */
  readonly exchange: (req: IncomingMessage, res: ServerResponse, fault: StreamError | undefined) => Exchange;
  /**
   * The whole response to a tunnel that is refused, or to input that is not a request; called once,
   * when it is sent.
   */
  readonly refuse: (fault: StreamError, client: string, asked?: Pick<IncomingMessage, 'method' | 'url'>) => string;
  /**
   * The tunnel that a request asks for, if there are tunnels. Throws a StreamError if it does not get
   * one. `isAlone`: no request before it waits for its answer.
   */
  readonly tunnel?: (req: IncomingMessage, isAlone: boolean) => OpenTunnel | undefined;
}

/**
 * One listener on several addresses. The limits may change; see `retime`. Each request is answered in its turn. Other input is refused,
 * and its connection closed.
 */
export const createListeners = (limits: ConnectionLimits, answers: Answers): HttpServer => {
  let draining = false;
  let arrived = 0;
  const servers: Server[] = [];
  const connections = createConnections(limits);

  const requested = (req: IncomingMessage, res: ServerResponse) => {
    // Node would send chunks to an HTTP/1.0 client that has a `TE` for them (RFC 9112 section 6.1
    // forbids it).
    if (req.httpVersion !== '1.1') res.useChunkedEncodingByDefault = false;
    req.url = restoreTarget(req.url ?? '');
    const fault = connections.excess(req.socket) ?? faultOf(req, limits);
    // Node drops the data after a request for another protocol, unless it releases the socket. The
    // start of the next request is then unknown.
    const last = draining || fault !== undefined || wantsUpgrade(req);
    arrived += 1;
    connections.of(req.socket)?.take(res, answers.exchange(req, res, fault), last);
  };

  const refuse = (socket: Socket, fault: StreamError, req?: IncomingMessage) => {
    connections.of(socket)?.end(() => answers.refuse(fault, socket.remoteAddress ?? '', req));
  };

  const failed = (error: NodeJS.ErrnoException, socket: Socket) => {
    const fault = faultOfParser(error, limits);
    // The connection carried no request: browsers and proxies open such connections in advance.
    const unused = fault?.code === 'REQUEST_TIMEOUT' && socket.bytesRead === 0;
    if (fault === undefined || unused) socket.destroy();
    else refuse(socket, fault);
  };

  const tunnel = (req: IncomingMessage, socket: Socket) => {
    // Node has released the socket: no other listener handles its errors.
    socket.on('error', () => socket.destroy());
    try {
      const fault = connections.excess(socket) ?? faultOf(req, limits);
      if (fault) throw fault;
      const connection = connections.of(socket);
      const open = answers.tunnel?.(req, connection?.idle() ?? false);
      if (!open || !connection)
        throw new StreamError('METHOD_NOT_ALLOWED', 'client', 'expected GET or HEAD, found CONNECT');
      arrived += 1;
      open(socket, connection.release());
    } catch (error) {
      refuse(socket, toStreamError(error), req);
    }
  };

  const create = (): Server =>
    createNodeServer(limits, {
      ...{ requested, tunnel, failed },
      connected: connections.enter,
      connectionOf: connections.of,
    });

  return {
    listen: async (places, port) => {
      try {
        const bound: AddressInfo[] = [];
        for (const place of places) {
          const server = create();
          // With port 0, all addresses share the port that the first one got.
          bound.push(
            await ('fd' in place ? listenOnOpen(server, place) : listenOn(server, place, bound[0]?.port ?? port)),
          );
          servers.push(server);
        }
        return bound;
      } catch (error) {
        await Promise.all(servers.splice(0).map(endServer));
        throw error;
      }
    },
    listenAt: async (path) => {
      const server = create();
      server.prependListener('connection', (socket) => {
        // Only TCP has resets. Both ends of these connections know the length that they expect.
        socket.resetAndDestroy = () => socket.destroy();
      });
      await bind(server, { path, exclusive: true });
      servers.push(server);
    },
    drain: (now) => {
      draining = now;
    },
    idle: connections.idle,
    retime: () => {
      for (const server of servers) retime(server, limits);
    },
    stop: async (timeoutMs) => {
      const closed = Promise.all(servers.map(closeListener));
      connections.stop();
      const cut = setTimeout(connections.cut, timeoutMs);
      await closed;
      clearTimeout(cut);
      await Promise.all(servers.map(endServer));
    },
    load: () => ({ ...connections.load(), arrived }),
  };
};
