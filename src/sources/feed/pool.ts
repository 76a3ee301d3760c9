import { ShortLivedMap } from '../../../pipelines/operators/short-lived-map.ts';
import { createTurns } from '../../../pipelines/operators/turns.ts';
import type { Connection } from './connection.ts';

export interface PoolUsage {
  readonly busy: number;
  readonly idle: number;
  readonly waiting: number;
}

/** Connections to one origin with one set of credentials. */
export interface Pool {
  /**
   * Calls `use` with a connection. It does so at once if one is free or may still be made,
   * otherwise when one is given back: clients in turn, each of them first come first served.
   * Returns a function that stops waiting.
   */
  take(use: (connection: Connection, giveBack: () => void) => void, client?: string): () => void;
  /** Connections that carry a request, those that do not, and requests that wait for one. */
  usage(): PoolUsage;
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

/** The part of the connections that one client may hold: the rest is for the others. */
const SHARE = 0.75;

/**
 * Takes the most recently used connection first, so that surplus connections become idle and close.
 */
export const createPool = ({ most, makeConnection, onQuiet }: PoolOptions): Pool => {
  type Use = (connection: Connection) => void;
  const connections: Connection[] = [];
  const free: Connection[] = [];
  const waiting = createTurns<Use>();
  const held = new ShortLivedMap<string, number>();
  const share = Math.ceil(most * SHARE);

  const mayHold = (client: string) => client === '' || (held.get(client) ?? 0) < share;
  const hold = (client: string, change: number) => {
    const now = (held.get(client) ?? 0) + change;
    if (now > 0) held.set(client, now);
    else held.delete(client);
  };

  const makeAnother = (): Connection | undefined => {
    if (connections.length >= most) return undefined;
    const connection = makeConnection();
    connections.push(connection);
    return connection;
  };

  const giveBack = (connection: Connection) => {
    const next = waiting.first(mayHold);
    if (next) {
      waiting.serve(next);
      return next(connection);
    }
    free.push(connection);
    if (free.length === connections.length) onQuiet();
  };

  return {
    take: (use, client = '') => {
      const useOnce: Use = (connection) => {
        let given = false;
        hold(client, 1);
        use(connection, () => {
          if (given) return;
          given = true;
          hold(client, -1);
          giveBack(connection);
        });
      };
      const connection = mayHold(client) ? (free.pop() ?? makeAnother()) : undefined;
      if (connection) useOnce(connection);
      else waiting.add(useOnce, client);
      return () => {
        waiting.delete(useOnce);
      };
    },
    usage: () => ({ busy: connections.length - free.length, idle: free.length, waiting: waiting.size() }),
    close: async () => {
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
};
