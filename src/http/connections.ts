import type { Socket } from 'node:net';
import { StreamError } from '../../pipelines/model/index.ts';
import { ShortLivedMap } from '../../pipelines/operators/short-lived-map.ts';
import { ShortLivedSet } from '../../pipelines/operators/short-lived-set.ts';
import { type Connection, createConnection } from './connection.ts';
import type { ConnectionLimits } from './limits.ts';
import { createResting } from './resting.ts';

/** The open connections of clients, and the limit on their number. */
export interface Connections {
  /** Takes a new connection. If there are too many, the one that has rested for longest is closed. */
  enter(socket: Socket): void;
  of(socket: Socket): Connection | undefined;
  /**
   * The reason to refuse a request because its connection is over the limit. To be asked once for
   * each request: from then on the connection has its place.
   */
  excess(socket: Socket): StreamError | undefined;
  /** Resolves once no request is being answered, at once if none is. */
  idle(): Promise<void>;
  /** Ends each connection after the request that is being answered. */
  stop(): void;
  /** Closes all connections now; those with an incomplete response are reset. */
  cut(): void;
  /** Open connections, those of them with a request, and those whose response waits for its client. */
  load(): { readonly connections: number; readonly busy: number; readonly paused: number };
}

/** Connections over the limit that still get a response; of more, the oldest is closed. */
const SPARE = 100;

/** `limits` may change. */
export const createConnections = (
  limits: Pick<ConnectionLimits, 'connections' | 'requestsPerConnection'>,
): Connections => {
  const waiting: (() => void)[] = [];
  const all = new ShortLivedMap<Socket, Connection>();
  const resting = createResting();
  /** Connections beyond the limit that have not sent a request, the oldest first. */
  const latecomers = new ShortLivedSet<Socket>();

  const busy = () => all.size - resting.size - latecomers.size;
  const settled = () => {
    if (waiting.length === 0 || busy() > 0) return;
    for (const resolve of waiting.splice(0)) resolve();
  };

  const crowded = () => limits.connections > 0 && all.size > limits.connections;

  const forget = (socket: Socket) => {
    all.delete(socket);
    latecomers.delete(socket);
    resting.delete(socket);
    settled();
  };

  /** Its place is free at once. */
  const close = (socket: Socket | undefined) => {
    if (!socket) return;
    const connection = all.get(socket);
    forget(socket);
    // Closed with unread input, the connection would be reset. A client that reads slowly would then
    // lose the end of its last response (RFC 9112 section 9.6).
    if (socket.bytesWritten > 0 && socket.writable) connection?.stop();
    else socket.destroy();
  };

  return {
    enter: (socket) => {
      // Handed back to Node after a request for another protocol.
      const known = all.get(socket);
      if (known) return known.takeOver();
      const { remoteAddress: address = '' } = socket;
      // A connection rests from its beginning, and until its first request is complete.
      const rests = (rest: boolean) => {
        if (rest && all.has(socket)) resting.add(socket, address);
        else resting.delete(socket);
        settled();
      };
      all.set(socket, createConnection(socket, limits.requestsPerConnection, rests));
      socket.once('close', () => forget(socket));
      if (crowded()) close(resting.idlest(address));
      if (!crowded()) return rests(true);
      latecomers.add(socket);
      const [oldest] = latecomers;
      if (all.size > limits.connections + SPARE) close(oldest);
    },
    of: (socket) => all.get(socket),
    excess: (socket) =>
      latecomers.delete(socket) && crowded()
        ? new StreamError('OVERLOADED', 'self', `too many connections (max_client_connections = ${limits.connections})`)
        : undefined,
    idle: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        settled();
      }),
    stop: () => {
      for (const connection of all.values()) connection.stop();
    },
    cut: () => {
      for (const connection of all.values()) connection.cut();
    },
    load: () => {
      let paused = 0;
      for (const connection of all.values()) if (connection.paused()) paused += 1;
      return { connections: all.size, busy: busy(), paused };
    },
  };
};
