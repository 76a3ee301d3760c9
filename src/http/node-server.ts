import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Connection } from './connection.ts';
import type { ConnectionLimits } from './limits.ts';
import { ignoreUpgrades } from './upgrade.ts';

/** What is done with everything that comes over the connections of a server. */
export interface Handlers {
  connected(socket: Socket): void;
  requested(req: IncomingMessage, res: ServerResponse): void;
  /** CONNECT: Node has released the socket. */
  tunnel(req: IncomingMessage, socket: Socket): void;
  /** Input that is not a request, or came too late. */
  failed(error: NodeJS.ErrnoException, socket: Socket): void;
  connectionOf(socket: Socket): Connection | undefined;
}

/** Bytes that wait in a socket before it counts as full. */
const HIGH_WATER_MARK = 64 * 1024;

/** A server of Node that leaves every judgement and answer to the handlers. It does not listen yet. */
export const createNodeServer = (limits: ConnectionLimits, handlers: Handlers): Server => {
  const { connected, requested, tunnel, failed, connectionOf } = handlers;
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
      shouldUpgradeCallback: ({ socket }) => connectionOf(socket)?.idle() ?? false,
    },
    requested,
  );
  // Node would silently drop fields beyond a count. Their size is limited anyway.
  server.maxHeadersCount = 0;
  // Without these, Node requests content that is not wanted, and answers unknown expectations
  // itself.
  server.on('checkContinue', requested).on('checkExpectation', requested);
  server.on('connection', connected).on('clientError', failed);
  ignoreUpgrades(server, (socket, head) => connectionOf(socket)?.putBack(head));
  return server.on('connect', tunnel);
};

/** Applies the times in the limits, which have changed. */
export const retime = (server: Server, limits: ConnectionLimits): void => {
  Object.assign(server, timesOf(limits));
};

/** A request has no content, so it is complete when its head is. */
const timesOf = ({ requestTimeout, keepAliveTimeout }: ConnectionLimits) => ({
  headersTimeout: requestTimeout,
  requestTimeout,
  keepAliveTimeout,
});
