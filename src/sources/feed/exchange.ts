import type { StreamError } from '../../../pipelines/model/index.ts';
import type { Exchange, Listener } from './connection.ts';
import type { Pool } from './pool.ts';
import type { FeedRequest } from './request.ts';

/** Who waits for a connection, and how long. */
interface Patience {
  readonly client?: string;
  /** Milliseconds. */
  readonly timeoutMs?: number;
  /** Called with `true` if the request has to wait, and with `false` once it has a connection. */
  readonly waits: (waiting: boolean) => void;
  /** The error if no connection came in time. */
  readonly full: () => StreamError;
}

/** One request and its response over a connection of the pool, which it may have to wait for. */
export const exchange = (
  pool: Pool,
  request: FeedRequest,
  listener: Listener,
  { client, timeoutMs, waits, full }: Patience,
): Exchange => {
  let running: Exchange | undefined;
  let paused = false;
  let waiting = false;
  let aborted = false;
  let late: NodeJS.Timeout | undefined;
  const withdraw = pool.take((connection, giveBack) => {
    clearTimeout(late);
    if (waiting) waits(false);
    if (aborted) return giveBack();
    running = connection.send(request, listener, giveBack);
    if (paused) running.pause();
  }, client);
  if (!running) {
    waiting = true;
    waits(true);
    if (timeoutMs !== undefined)
      late = setTimeout(() => {
        withdraw();
        listener.error(full());
      }, timeoutMs);
  }
  return {
    pause: () => {
      paused = true;
      running?.pause();
    },
    resume: () => {
      paused = false;
      running?.resume();
    },
    abort: () => {
      aborted = true;
      clearTimeout(late);
      withdraw();
      running?.abort();
    },
  };
};
