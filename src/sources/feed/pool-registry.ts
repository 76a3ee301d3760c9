import { type Access, StreamError } from '../../../pipelines/model/index.ts';
import { connectionMaker } from './connect.ts';
import { createPool, type Pool } from './pool.ts';
import { secureContextOf } from './secure-context.ts';

/** How feeds are connected to, where a source's own access does not say otherwise. */
export interface PoolSettings {
  /** Milliseconds until a connection must stand, name look-up and TLS handshake included. */
  readonly connectTimeout: number;
  /** Connections to one origin with one set of credentials, each with one request at a time; further requests wait. */
  readonly connections: number;
  /** Milliseconds after which an unused connection is closed, and an unused pool forgotten. */
  readonly idleTimeout: number;
}

/** Every connection to feeds. */
export interface PoolRegistry {
  /** The pool for an origin and a source's access. Throws SOURCE_BROKEN where the access cannot be used. */
  of(url: URL, access: Access): Pool;
  /** How many pools are known. */
  readonly size: number;
  /** Ends every connection. */
  close(): Promise<void>;
}

/**
 * Pools by origin and by what a connection is made of: changed credentials thereby get connections of their own, and those made with
 * the old ones grow idle and are forgotten. Passwords and header fields go with each request and do not count.
 */
export const createPoolRegistry = (settings: PoolSettings): PoolRegistry => {
  const registry = new Map<string, Pool>();
  let closed = false;

  const open = (key: string, url: URL, access: Access): Pool => {
    checkProxy(access);
    const makeConnection = connectionMaker(new URL(url.origin), {
      access,
      secureContext: secureContextOf(access),
      connectTimeout: access.connectTimeout ?? settings.connectTimeout,
      idleTimeout: settings.idleTimeout,
    });
    let quiet = true;
    const forget = () => {
      if (!quiet) return;
      registry.delete(key);
      void pool.close();
    };
    const timer = setTimeout(forget, settings.idleTimeout).unref();
    const connections = createPool({
      most: settings.connections,
      makeConnection,
      onQuiet: () => {
        quiet = true;
        timer.refresh();
      },
    });
    const pool: Pool = {
      take: (use) => {
        quiet = false;
        return connections.take(use);
      },
      close: () => {
        clearTimeout(timer);
        return connections.close();
      },
    };
    registry.set(key, pool);
    return pool;
  };

  return {
    of: (url, access) => {
      if (closed) throw new StreamError('CONNECT_FAILED', 'self', 'the connections to feeds are closed');
      const key = `${url.origin}\0${fingerprint(access)}`;
      return registry.get(key) ?? open(key, url, access);
    },
    get size() {
      return registry.size;
    },
    close: async () => {
      closed = true;
      const all = [...registry.values()];
      registry.clear();
      await Promise.all(all.map((pool) => pool.close()));
    },
  };
};

/** NUL stands in no PEM text, URL or password that could be used. */
const fingerprint = ({ ca, clientCert, clientKey, verifyServer, proxy, connectTimeout }: Access): string =>
  [
    ca,
    clientCert,
    clientKey,
    verifyServer !== false,
    proxy?.url,
    proxy?.username,
    proxy?.password,
    connectTimeout,
  ].join('\0');

const checkProxy = ({ proxy }: Access): void => {
  if (!proxy) return;
  const { protocol } = URL.canParse(proxy.url) ? new URL(proxy.url) : { protocol: undefined };
  if (protocol === 'http:' || protocol === 'https:') return;
  throw new StreamError('SOURCE_BROKEN', 'feed', `the proxy’s URL is “${proxy.url}”; expected http://HOST:PORT`);
};
