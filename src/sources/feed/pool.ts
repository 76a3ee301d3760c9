import type { Dispatcher } from 'undici';

/** A place for one request at a time: a connection, made when needed and kept for the next request. */
export interface Connection {
  readonly dispatcher: Dispatcher;
  /** Gives up a connection in the making; the request that it was for fails. */
  hangUp(): void;
  /** Why the last connection broke, where it did and that is known. */
  readonly broken?: () => Error | undefined;
}

/** Lanes to one origin with one set of credentials. */
export interface Pool {
  /**
   * Calls `use` with a lane: at once where one is free or may still be made, else as soon as one is given back, first come first served.
   * Returns how to stop waiting.
   */
  take(use: (connection: Connection, giveBack: () => void) => void): () => void;
  /** Ends every connection; what runs or waits on them fails. */
  close(): Promise<void>;
}

interface PoolOptions {
  /** Lanes at most. */
  readonly most: number;
  readonly makeConnection: () => Connection;
  /** Every lane has been given back. */
  readonly onQuiet: () => void;
}

/** The lane used last is taken first, so that connections which are not needed grow old and close. */
export const createPool = ({ most, makeConnection, onQuiet }: PoolOptions): Pool => {
  type Use = (connection: Connection) => void;
  const connections: Connection[] = [];
  const free: Connection[] = [];
  const waiting = new Set<Use>();

  const makeAnother = (): Connection | undefined => {
    if (connections.length >= most) return undefined;
    const connection = makeConnection();
    connections.push(connection);
    return connection;
  };

  const giveBack = (connection: Connection) => {
    const [next] = waiting;
    if (next) {
      waiting.delete(next);
      return next(connection);
    }
    free.push(connection);
    if (free.length === connections.length) onQuiet();
  };

  return {
    take: (use) => {
      const useOnce: Use = (connection) => {
        let given = false;
        use(connection, () => {
          if (given) return;
          given = true;
          giveBack(connection);
        });
      };
      const connection = free.pop() ?? makeAnother();
      if (connection) useOnce(connection);
      else waiting.add(useOnce);
      return () => {
        waiting.delete(useOnce);
      };
    },
    close: async () => {
      await Promise.all(connections.map((connection) => connection.dispatcher.destroy()));
    },
  };
};
