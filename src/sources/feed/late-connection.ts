import type { Connection, Exchange } from './connection.ts';

/**
 * A connection whose code is loaded with its first request. Requests that come before are sent once
 * it is there, unless they were abandoned; if it cannot be loaded, they fail.
 */
export const lateConnection = (load: () => Promise<Connection>): Connection => {
  let loading: Promise<Connection> | undefined;
  let loaded: Connection | undefined;
  let isClosed = false;

  const loadOnce = (): Promise<Connection> => {
    loading ??= load().then(async (connection) => {
      loaded = connection;
      if (isClosed) await connection.close();
      return connection;
    });
    return loading;
  };

  return {
    send: (request, listener, done) => {
      if (loaded) return loaded.send(request, listener, done);
      let running: Exchange | undefined;
      let paused = false;
      let abandoned = false;
      loadOnce().then(
        (connection) => {
          if (abandoned) return done();
          running = connection.send(request, listener, done);
          if (paused) running.pause();
        },
        (error: unknown) => {
          done();
          if (!abandoned) listener.error(error);
        },
      );
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
          abandoned = true;
          running?.abort();
        },
      };
    },
    close: async () => {
      isClosed = true;
      await loaded?.close();
    },
  };
};
