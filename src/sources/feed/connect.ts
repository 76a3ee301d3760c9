import type { Connection } from './connection.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { http1Connection } from './http1/connection.ts';
import { dialTo } from './http1/dial.ts';
import { lateConnection } from './late-connection.ts';

/**
 * Creates connections to an origin: our own client for direct ones, undici for those through a
 * proxy. undici is loaded with the first of these: it takes a third of the start of a daemon.
 */
export const connectionMaker = (origin: URL, options: ConnectionOptions): (() => Connection) => {
  const { proxy } = options.access;
  if (proxy)
    return () =>
      lateConnection(async () => {
        const { undiciConnection } = await import('./undici/connection.ts');
        return undiciConnection(proxy, origin, options);
      });
  const dial = dialTo(origin, options);
  return () => http1Connection(dial, options.idleTimeout);
};
