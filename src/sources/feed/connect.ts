import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { buildConnector, Client, ProxyAgent } from 'undici';
import type { Access } from '../../../pipelines/model/index.ts';
import type { Connection } from './pool.ts';

/** The parameters of a connection. */
export interface ConnectionOptions {
  readonly secureContext: SecureContext;
  readonly access: Access;
  /** Milliseconds, including the TLS handshake. */
  readonly connectTimeout: number;
  /** Milliseconds that an unused connection is kept. */
  readonly idleTimeout: number;
}

/**
 * Creates connections to an origin. They share one cache of TLS sessions: resuming a session saves
 * a handshake.
 */
export const connectionMaker = (origin: URL, options: ConnectionOptions): (() => Connection) =>
  options.access.proxy ? () => proxied(options, options.access.proxy) : direct(origin, options);

/** The most bytes of a response's header fields together; more of them break the connection. */
const LONGEST_HEAD = 16 * 1024;

const connectionOptions = ({ idleTimeout, connectTimeout }: ConnectionOptions) => ({
  connectTimeout,
  pipelining: 1,
  allowH2: false,
  maxHeaderSize: LONGEST_HEAD,
  keepAliveTimeout: idleTimeout,
  keepAliveMaxTimeout: idleTimeout,
});

const tlsOptions = ({ secureContext, access }: ConnectionOptions) => ({
  secureContext,
  rejectUnauthorized: access.verifyServer !== false,
  allowH2: false,
});

const direct = (origin: URL, options: ConnectionOptions): (() => Connection) => {
  const connect = buildConnector({ ...tlsOptions(options), timeout: options.connectTimeout });
  return () => {
    let connecting: Socket | undefined;
    let broken: Error | undefined;
    const dispatcher = new Client(origin, {
      ...connectionOptions(options),
      connect: (to, done) => {
        // The connector returns its socket, although its type does not say so. It is the only
        // handle on a pending connection.
        const socket = connect(to, (...result) => {
          connecting = undefined;
          done(...result);
        }) as unknown as Socket;
        connecting = socket;
        broken = undefined;
        // TLS 1.3 demands a client certificate after the handshake. The alert arrives before the
        // connection ends. Without this, undici would report only that end: “other side closed”.
        socket.on('error', (error) => {
          broken = error;
          socket.destroy(error);
        });
      },
    });
    // Without an error, undici would wait for the connection for ever.
    return {
      dispatcher,
      hangUp: () => connecting?.destroy(new Error('the request was abandoned before the connection was established')),
      broken: () => broken,
    };
  };
};

const proxied = (options: ConnectionOptions, proxy: Access['proxy']): Connection => {
  const { url = '', username, password } = proxy ?? {};
  let asking: Socket | undefined;
  const dispatcher = new ProxyAgent({
    ...connectionOptions(options),
    uri: url,
    connections: 1,
    requestTls: tlsOptions(options),
    // The connection that requests a tunnel from the proxy. A proxy may accept it and never answer.
    clientFactory: (to, { connect }: { connect: buildConnector.connector }) =>
      new Client(to, {
        headersTimeout: options.connectTimeout,
        connect: (target, done) => {
          asking = connect(target, done) as unknown as Socket;
        },
      }),
    ...(username !== undefined && password !== undefined
      ? { token: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
      : {}),
  });
  return {
    dispatcher,
    hangUp: () => asking?.destroy(new Error('the request was abandoned before the tunnel was established')),
  };
};
