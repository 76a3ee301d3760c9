import type { Dispatcher } from 'undici';

/** A place for one request at a time: a connection, made when needed and kept for the next request. */
export interface Lane {
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
  take(use: (lane: Lane, giveBack: () => void) => void): () => void;
  /** Ends every connection; what runs or waits on them fails. */
  close(): Promise<void>;
}

interface PoolOptions {
  /** Lanes at most. */
  readonly most: number;
  readonly makeLane: () => Lane;
  /** Every lane has been given back. */
  readonly onQuiet: () => void;
}

/** The lane used last is taken first, so that connections which are not needed grow old and close. */
export const createPool = ({ most, makeLane, onQuiet }: PoolOptions): Pool => {
  type Use = (lane: Lane) => void;
  const lanes: Lane[] = [];
  const free: Lane[] = [];
  const waiting = new Set<Use>();

  const makeAnother = (): Lane | undefined => {
    if (lanes.length >= most) return undefined;
    const lane = makeLane();
    lanes.push(lane);
    return lane;
  };

  const giveBack = (lane: Lane) => {
    const [next] = waiting;
    if (next) {
      waiting.delete(next);
      return next(lane);
    }
    free.push(lane);
    if (free.length === lanes.length) onQuiet();
  };

  return {
    take: (use) => {
      const useOnce: Use = (lane) => {
        let given = false;
        use(lane, () => {
          if (given) return;
          given = true;
          giveBack(lane);
        });
      };
      const lane = free.pop() ?? makeAnother();
      if (lane) useOnce(lane);
      else waiting.add(useOnce);
      return () => {
        waiting.delete(useOnce);
      };
    },
    close: async () => {
      await Promise.all(lanes.map((lane) => lane.dispatcher.destroy()));
    },
  };
};
