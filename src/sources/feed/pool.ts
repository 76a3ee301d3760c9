import type { Connection } from './connection.ts';

/** Connections to one origin with one set of credentials. */
export interface Pool {
  /**
   * Calls `use` with a connection. It does so at once if one is free or may still be made,
   * otherwise when one is given back, first come first served. Returns a function that stops
   * waiting.
   */
  take(use: (connection: Connection, giveBack: () => void) => void): () => void;
  /** Ends every connection; running and waiting requests fail. */
  close(): Promise<void>;
}

interface PoolOptions {
  /** The most connections. */
  readonly most: number;
  readonly makeConnection: () => Connection;
  /** Called when every connection has been given back. */
  readonly onQuiet: () => void;
}

/**
 * Takes the most recently used connection first, so that surplus connections become idle and close.
 */
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
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
};
