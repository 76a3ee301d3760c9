import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { StreamError } from '../../pipelines/model/index.ts';
import type { ListenAddress } from './addresses.ts';
import { type Connection, createConnection, type Exchange } from './connection.ts';
import type { ConnectionLimits } from './limits.ts';
import { faultOf, faultOfParser, sizeOf } from './strict.ts';
import { ignoreUpgrades, wantsUpgrade } from './upgrade.ts';

export interface HttpServer {
  /** Resolves to what it listens on, once it does everywhere; rejects, listening nowhere, where one address cannot be had. */
  listen(addresses: readonly ListenAddress[], port: number): Promise<readonly AddressInfo[]>;
  /** Takes no more requests; resolves once the running ones ended, at the latest after so many milliseconds, when they are reset. */
  stop(timeoutMs: number): Promise<void>;
}

interface Answers {
  /** How a request is answered. `fault` says why it must be refused: it is malformed, or there is no room for its connection. */
  readonly exchange: (req: IncomingMessage, res: ServerResponse, fault: StreamError | undefined) => Exchange;
  /** The whole response to what did not become a request; asked for once, when it is sent. */
  readonly refuse: (fault: StreamError, client: string) => string;
}

/** Bytes that wait in a socket before it counts as full. */
const HIGH_WATER_MARK = 64 * 1024;
/** Connections over the limit that are told so; more are closed at once. */
const SPARE = 100;

/** One listener on several addresses: each request is answered in its turn, and whatever is none is refused and its connection closed. */
export const createListeners = (limits: ConnectionLimits, answers: Answers): HttpServer => {
  const servers: Server[] = [];
  const connections = new Map<Socket, Connection>();
  /** Those between two requests, the one that has been so for longest first. */
  const resting = new Set<Socket>();
  const latecomers = new WeakSet<Socket>();

  const crowded = () => limits.connections > 0 && connections.size > limits.connections;

  const forget = (socket: Socket) => {
    connections.delete(socket);
    resting.delete(socket);
  };

  const evictIdlest = () => {
    const [longest] = resting;
    if (!longest) return;
    longest.destroy();
    forget(longest);
  };

  const connected = (socket: Socket) => {
    // Handed back to Node after a request for another protocol.
    if (connections.has(socket)) return;
    const rests = (rest: boolean) => (rest ? resting.add(socket) : resting.delete(socket));
    connections.set(socket, createConnection(socket, limits.requestsPerConnection, rests));
    socket.once('close', () => forget(socket));
    if (crowded()) evictIdlest();
    if (!crowded()) return;
    if (connections.size > limits.connections + SPARE) socket.destroy();
    else latecomers.add(socket);
  };

  const requested = (req: IncomingMessage, res: ServerResponse) => {
    // Node would send chunks where an HTTP/1.0 client has a `TE` for them (RFC 9112 section 6.1 forbids it).
    if (req.httpVersion !== '1.1') res.useChunkedEncodingByDefault = false;
    const late = latecomers.delete(req.socket) && crowded();
    const fault = late
      ? new StreamError('OVERLOADED', 'self', `${limits.connections} connections are open`)
      : faultOf(req, limits);
    // Node loses what came together with a request for another protocol, unless it lets go of the socket: nobody knows where the next
    // request would begin.
    const last = fault !== undefined || wantsUpgrade(req);
    connections.get(req.socket)?.take(res, answers.exchange(req, res, fault), sizeOf(req), last);
  };

  const refuse = (socket: Socket, fault: StreamError) => {
    connections.get(socket)?.end(() => answers.refuse(fault, socket.remoteAddress ?? ''));
  };

  const failed = (error: NodeJS.ErrnoException, socket: Socket) => {
    const fault = faultOfParser(error, limits);
    // Nobody asked for anything on it: browsers and proxies keep such connections in store.
    const unused = fault?.code === 'REQUEST_TIMEOUT' && socket.bytesRead === 0;
    if (fault === undefined || unused) socket.destroy();
    else if (fault.code === 'REQUEST_TIMEOUT' && excused(error, socket)) return;
    else refuse(socket, fault);
  };

  /** What was not read could not come in time. */
  const excused = (error: NodeJS.ErrnoException, socket: Socket) =>
    connections.get(socket)?.excuse(() => failed(error, socket), limits.requestTimeout);

  const tunnel = (socket: Socket) => {
    // Node has let go of the socket: nobody else hears its errors, and a response that is under way could not go on.
    socket.on('error', () => socket.destroy());
    if (connections.get(socket)?.answering()) socket.resetAndDestroy();
    else refuse(socket, new StreamError('METHOD_NOT_ALLOWED', 'client', 'expected GET or HEAD, found CONNECT'));
  };

  const create = (): Server => {
    const server = createServer(
      {
        insecureHTTPParser: false,
        // `faultOf` looks at it, so that all refusals are alike.
        requireHostHeader: false,
        // A request has no content, so that it has come whole when its head has.
        headersTimeout: limits.requestTimeout,
        requestTimeout: limits.requestTimeout,
        connectionsCheckingInterval: Math.ceil(Math.min(5_000, limits.requestTimeout / 4)),
        keepAliveTimeout: limits.keepAliveTimeout,
        maxHeaderSize: limits.headerSize,
        highWaterMark: HIGH_WATER_MARK,
        // A response that is under way would not go on.
        shouldUpgradeCallback: ({ socket }) => connections.get(socket)?.idle() ?? false,
      },
      requested,
    );
    // Node would silently leave out what goes beyond a number of fields: their size is bounded anyway.
    server.maxHeadersCount = 0;
    // Without these, Node asks for content that we do not want, and answers by itself what it does not know.
    server.on('checkContinue', requested).on('checkExpectation', requested);
    server.on('connection', connected).on('clientError', failed);
    ignoreUpgrades(server);
    return server.on('connect', (_, socket: Socket) => tunnel(socket));
  };

  return {
    listen: async (addresses, port) => {
      try {
        const bound: AddressInfo[] = [];
        for (const address of addresses) {
          const server = create();
          // With port 0 all addresses share the port that the first one was given.
          bound.push(await listenOn(server, address, bound[0]?.port ?? port));
          servers.push(server);
        }
        return bound;
      } catch (error) {
        await Promise.all(servers.splice(0).map(close));
        throw error;
      }
    },
    stop: async (timeoutMs) => {
      const closed = Promise.all(servers.map(closeListener));
      for (const connection of connections.values()) connection.stop();
      const cut = setTimeout(() => {
        // Where a body ends with the connection, a mere close would make it look whole.
        for (const socket of connections.keys()) socket.resetAndDestroy();
      }, timeoutMs);
      await closed;
      clearTimeout(cut);
      await Promise.all(servers.map(close));
    },
  };
};

/** Ends the server, and its timers. */
const close = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));

/**
 * Resolves once all connections are closed; no new ones are taken. The `close` of an HTTP server would first destroy those whose response is
 * at its end, as Node has it, but has not been taken by the client: where the body ends with the connection, the rest would not be missed.
 */
const closeListener = (server: Server) =>
  new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));

const listenOn = (server: Server, { host, ipv6Only }: ListenAddress, port: number): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only }, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
