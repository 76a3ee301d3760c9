import { hash } from 'node:crypto';
import { type Access, StreamError } from '../../../pipelines/model/index.ts';
import { ShortLivedMap } from '../../../pipelines/operators/short-lived-map.ts';
import { connectionMaker } from './connect.ts';
import { createPool, type Pool, type PoolUsage } from './pool.ts';
import { createReach, plainHost } from './reach.ts';
import { secureContextOf, type TlsLevel } from './secure-context.ts';

/** Settings of connections to feeds; a source's own access takes precedence. */
export interface PoolSettings {
  /**
   * Milliseconds until a connection must be established, including name look-up and TLS handshake.
   */
  readonly connectTimeout: number;
  /**
   * The most connections to one origin with one set of credentials. Each carries one request at a
   * time; further requests wait.
   */
  readonly connections: number;
  /** The most milliseconds that a request waits for a connection. Default: no limit. */
  readonly placeTimeout?: number;
  /** Milliseconds after which an unused connection is closed, and an unused pool removed. */
  readonly idleTimeout: number;
  /** Addresses, networks and hosts that every feed may lead to: see `createReach`. */
  readonly networks?: readonly string[];
  /** By host, as URLs spell it: the servers with old TLS. */
  readonly tlsLevels?: ReadonlyMap<string, TlsLevel>;
}

/** The connections to one origin, of all credentials. */
export interface OriginUsage extends PoolUsage {
  readonly origin: string;
}

/** All connections to feeds. */
export interface PoolRegistry {
  /**
   * The pool for an origin and a source's access. Throws SOURCE_BROKEN if the access is unusable.
   * `home`: the URL that the operator named, if the feed has led from there.
   */
  of(url: URL, access: Access, home?: URL): Pool;
  /** The number of pools. */
  readonly size: number;
  /** The connections to each origin. */
  usage(): readonly OriginUsage[];
  /** Ends every connection. */
  close(): Promise<void>;
}

/**
 * Keeps one pool for each origin and set of connection parameters. Changed credentials get new
 * connections; the old connections become idle and are removed. Passwords and header fields belong
 * to the request, so they do not select the pool. Each home has its own: a connection that one may
 * have is not open to all.
 */
export const createPoolRegistry = (settings: PoolSettings): PoolRegistry => {
  const registry = new ShortLivedMap<string, Pool>();
  const reach = createReach(settings.networks);
  let closed = false;

  const open = (key: string, url: URL, access: Access, home: string): Pool => {
    checkProxy(access);
    const makeConnection = connectionMaker(new URL(url.origin), {
      access,
      reach,
      ...(home !== '' && { home }),
      secureContext: secureContextOf(access, settings.tlsLevels?.get(url.hostname)),
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
      take: (use, client) => {
        quiet = false;
        return connections.take(use, client);
      },
      usage: connections.usage,
      close: () => {
        clearTimeout(timer);
        return connections.close();
      },
    };
    registry.set(key, pool);
    return pool;
  };

  return {
    of: (url, access, home = url) => {
      if (closed) throw new StreamError('CONNECT_FAILED', 'self', 'the connections to feeds are closed');
      const ledFrom = home.hostname === url.hostname ? '' : plainHost(home.hostname);
      const key = `${url.origin}\0${fingerprintOf(access)}\0${ledFrom}`;
      return registry.get(key) ?? open(key, url, access, ledFrom);
    },
    get size() {
      return registry.size;
    },
    usage: () => {
      const origins = new Map<string, OriginUsage>();
      for (const [key, pool] of registry) {
        const [origin = ''] = key.split('\0', 1);
        const { busy = 0, idle = 0, waiting = 0 } = origins.get(origin) ?? {};
        const more = pool.usage();
        origins.set(origin, {
          origin,
          busy: busy + more.busy,
          idle: idle + more.idle,
          waiting: waiting + more.waiting,
        });
      }
      return [...origins.values()];
    },
    close: async () => {
      closed = true;
      const all = [...registry.values()];
      registry.clear();
      await Promise.all(all.map((pool) => pool.close()));
    },
  };
};

/** Made once for each access object: the PEM texts are long. */
const fingerprintOf = (access: Access): string => {
  const known = fingerprints.get(access);
  if (known !== undefined) return known;
  const made = hash('sha256', textOf(access));
  fingerprints.set(access, made);
  return made;
};

const fingerprints = new WeakMap<Access, string>();

/** A usable PEM text, URL or password contains no NUL. */
const textOf = ({ ca, clientCert, clientKey, verifyServer, proxy, connectTimeout }: Access): string =>
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
