import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { StreamError, toStreamError } from '../../pipelines/model/index.ts';
import type { OpenSocket } from '../lib/open-socket.ts';
import type { ListenAddress } from './addresses.ts';
import { bind, closeListener, endServer, listenOn, listenOnOpen } from './bind.ts';
import { type Connection, createConnection, type Exchange } from './connection.ts';
import type { ConnectionLimits } from './limits.ts';
import { restoreTarget } from './raw-targets.ts';
import { createResting } from './resting.ts';
import { faultOf, faultOfParser } from './strict.ts';
import type { OpenTunnel } from './tunnel.ts';
import { ignoreUpgrades, wantsUpgrade } from './upgrade.ts';

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

/** Bytes that wait in a socket before it counts as full. */
const HIGH_WATER_MARK = 64 * 1024;
/** Connections over the limit that still get a response; of more, the oldest is closed. */
const SPARE = 100;

/**
 * One listener on several addresses. The limits may change; see `retime`. Each request is answered in its turn. Other input is refused,
 * and its connection closed.
 */
export const createListeners = (limits: ConnectionLimits, answers: Answers): HttpServer => {
  let draining = false;
  let arrived = 0;
  const waiting: (() => void)[] = [];
  const servers: Server[] = [];
  const connections = new Map<Socket, Connection>();
  const resting = createResting();
  /** Connections beyond the limit that have not sent a request, the oldest first. */
  const latecomers = new Set<Socket>();

  const busy = () => connections.size - resting.size - latecomers.size;
  const settled = () => {
    if (waiting.length === 0 || busy() > 0) return;
    for (const resolve of waiting.splice(0)) resolve();
  };

  const crowded = () => limits.connections > 0 && connections.size > limits.connections;

  const overcrowded = () =>
    new StreamError('OVERLOADED', 'self', `too many connections (max_client_connections = ${limits.connections})`);

  const connected = (socket: Socket) => {
    // Handed back to Node after a request for another protocol.
    const known = connections.get(socket);
    if (known) return known.takeOver();
    const { remoteAddress: address = '' } = socket;
    // A connection rests from its beginning, and until its first request is complete.
    const rests = (rest: boolean) => {
      if (rest && connections.has(socket)) resting.add(socket, address);
      else resting.delete(socket);
      settled();
    };
    connections.set(socket, createConnection(socket, limits.requestsPerConnection, rests));
    socket.once('close', () => forget(socket));
    if (crowded()) close(resting.idlest(address));
    if (!crowded()) return rests(true);
    latecomers.add(socket);
    const [oldest] = latecomers;
    if (connections.size > limits.connections + SPARE) close(oldest);
  };

  const forget = (socket: Socket) => {
    connections.delete(socket);
    latecomers.delete(socket);
    resting.delete(socket);
    settled();
  };

  /** Its place is free at once. */
  const close = (socket: Socket | undefined) => {
    if (!socket) return;
    const connection = connections.get(socket);
    forget(socket);
    // Closed with unread input, the connection would be reset. A client that reads slowly would then
    // lose the end of its last response (RFC 9112 section 9.6).
    if (socket.bytesWritten > 0 && socket.writable) connection?.stop();
    else socket.destroy();
  };

  const requested = (req: IncomingMessage, res: ServerResponse) => {
    // Node would send chunks to an HTTP/1.0 client that has a `TE` for them (RFC 9112 section 6.1
    // forbids it).
    if (req.httpVersion !== '1.1') res.useChunkedEncodingByDefault = false;
    req.url = restoreTarget(req.url ?? '');
    const late = latecomers.delete(req.socket) && crowded();
    const fault = late ? overcrowded() : faultOf(req, limits);
    // Node drops the data after a request for another protocol, unless it releases the socket. The
    // start of the next request is then unknown.
    const last = draining || fault !== undefined || wantsUpgrade(req);
    arrived += 1;
    connections.get(req.socket)?.take(res, answers.exchange(req, res, fault), last);
  };

  const refuse = (socket: Socket, fault: StreamError, req?: IncomingMessage) => {
    connections.get(socket)?.end(() => answers.refuse(fault, socket.remoteAddress ?? '', req));
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
      if (latecomers.delete(socket) && crowded()) throw overcrowded();
      const fault = faultOf(req, limits);
      if (fault) throw fault;
      const connection = connections.get(socket);
      const open = answers.tunnel?.(req, connection?.idle() ?? false);
      if (!open || !connection)
        throw new StreamError('METHOD_NOT_ALLOWED', 'client', 'expected GET or HEAD, found CONNECT');
      arrived += 1;
      open(socket, connection.release());
    } catch (error) {
      refuse(socket, toStreamError(error), req);
    }
  };

  const create = (): Server => {
    const server = createServer(
      {
        insecureHTTPParser: false,
        // `faultOf` checks it, so that all refusals look alike.
        requireHostHeader: false,
        ...timesOf(limits),
        connectionsCheckingInterval: Math.ceil(Math.min(5_000, limits.requestTimeout / 4)),
        // Without content, a request needs no stream of its own.
        optimizeEmptyRequests: true,
        maxHeaderSize: limits.headerSize,
        highWaterMark: HIGH_WATER_MARK,
        // A running response would not continue.
        shouldUpgradeCallback: ({ socket }) => connections.get(socket)?.idle() ?? false,
      },
      requested,
    );
    // Node would silently drop fields beyond a count. Their size is limited anyway.
    server.maxHeadersCount = 0;
    // Without these, Node requests content that is not wanted, and answers unknown expectations
    // itself.
    server.on('checkContinue', requested).on('checkExpectation', requested);
    server.on('connection', connected).on('clientError', failed);
    ignoreUpgrades(server, (socket, head) => connections.get(socket)?.putBack(head));
    return server.on('connect', tunnel);
  };

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
    idle: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        settled();
      }),
    retime: () => {
      for (const server of servers) Object.assign(server, timesOf(limits));
    },
    stop: async (timeoutMs) => {
      const closed = Promise.all(servers.map(closeListener));
      for (const connection of connections.values()) connection.stop();
      const cut = setTimeout(() => {
        for (const connection of connections.values()) connection.cut();
      }, timeoutMs);
      await closed;
      clearTimeout(cut);
      await Promise.all(servers.map(endServer));
    },
    load: () => {
      let paused = 0;
      for (const connection of connections.values()) if (connection.paused()) paused += 1;
      return { connections: connections.size, busy: busy(), paused, arrived };
    },
  };
};

/** A request has no content, so it is complete when its head is. */
const timesOf = ({ requestTimeout, keepAliveTimeout }: ConnectionLimits) => ({
  headersTimeout: requestTimeout,
  requestTimeout,
  keepAliveTimeout,
});
