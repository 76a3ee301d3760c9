import type { Exchange, Listener } from './connection.ts';
import type { Pool } from './pool.ts';
import type { FeedRequest } from './request.ts';

/** One request and its response over a connection of the pool, which it may have to wait for. */
export const exchange = (pool: Pool, request: FeedRequest, listener: Listener): Exchange => {
  let running: Exchange | undefined;
  let paused = false;
  const withdraw = pool.take((connection, giveBack) => {
    running = connection.send(request, listener, giveBack);
    if (paused) running.pause();
  });
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
      withdraw();
      running?.abort();
    },
  };
};
