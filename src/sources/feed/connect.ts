import type { Connection } from './connection.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { http1Connection } from './http1/connection.ts';
import { dialTo } from './http1/dial.ts';
import { undiciConnection } from './undici/connection.ts';

/**
 * Creates connections to an origin: our own client for direct ones, undici for those through a
 * proxy.
 */
export const connectionMaker = (origin: URL, options: ConnectionOptions): (() => Connection) => {
  const { proxy } = options.access;
  if (proxy) return () => undiciConnection(proxy, origin, options);
  const dial = dialTo(origin, options);
  return () => http1Connection(dial, options.idleTimeout);
};
