import type { Relays } from '../../http/server-options.ts';
import type { Connection } from '../../sources/feed/connection.ts';
import { http1Connection } from '../../sources/feed/http1/connection.ts';
import { type Dial, dialLocal } from '../../sources/feed/http1/dial.ts';

/** Milliseconds that an unused connection to another worker is kept. */
const IDLE = 60_000;

/** What is known of another worker: how to reach it, and connections that carry no request. */
interface Other {
  readonly dial: Dial;
  readonly free: Connection[];
}

/**
 * Requests to other workers, over their unix sockets, as many at a time as there are: by the client for
 * feeds, which holds no memory for a client that reads nothing. After `close` they fail.
 */
export const createRequests = (): Pick<Relays, 'send'> & { close(): Promise<void> } => {
  const others = new Map<string, Other>();
  const connections: Connection[] = [];

  const otherAt = (socketPath: string): Other => {
    const known = others.get(socketPath) ?? { dial: dialLocal(socketPath), free: [] };
    others.set(socketPath, known);
    return known;
  };
  const connectTo = ({ dial }: Other): Connection => {
    const connection = http1Connection(dial, IDLE);
    connections.push(connection);
    return connection;
  };

  return {
    send: (socketPath, request, listener) => {
      const other = otherAt(socketPath);
      const connection = other.free.pop() ?? connectTo(other);
      return connection.send(request, listener, () => other.free.push(connection));
    },
    close: async () => {
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
};
