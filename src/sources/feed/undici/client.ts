import type { Socket } from 'node:net';
import { type buildConnector, Client, type Dispatcher, ProxyAgent } from 'undici';
import type { Access } from '../../../../pipelines/model/index.ts';
import type { ConnectionOptions } from '../connection-options.ts';
import { LONGEST_HEAD } from '../http1/head.ts';
import { checkServerIdentity } from '../server-identity.ts';
import { asksForTunnel, namingProxy } from './proxy-errors.ts';

export type ProxyAccess = NonNullable<Access['proxy']>;

/** Sends one request at a time. */
interface ProxyClient {
  readonly dispatcher: Dispatcher;
  /** Abandons a pending tunnel; its request fails. */
  hangUp(): void;
  /** Why the last connection broke, if it did and the reason is known. */
  broken(): Error | undefined;
  /** Names the proxy in an error of the connection to it. */
  naming(error: Error): Error;
}

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
  checkServerIdentity,
  allowH2: false,
});

/**
 * Reports a socket's error. TLS 1.3 demands a client certificate after the handshake. The alert
 * arrives before the connection ends. Without this, undici would report only that end: “other side
 * closed”.
 */
const noting = (socket: Socket, note: (error: Error) => void): void => {
  socket.on('error', (error) => {
    note(error);
    socket.destroy(error);
  });
};

/** Passes a new connection on, or why there is none, and reports the error that ends it later. */
const connecting =
  (done: buildConnector.Callback, explain: (error: Error) => Error, note: (error: Error) => void = () => {}) =>
  (...[error, socket]: buildConnector.CallbackArgs) => {
    if (error) return done(explain(error), null);
    noting(socket, note);
    return done(null, socket);
  };

/**
 * A client of undici for one connection through a proxy: a tunnel for https.
 */
export const clientThrough = (proxy: ProxyAccess, options: ConnectionOptions): ProxyClient => {
  const { url, username, password } = proxy;
  const proxyUrl = new URL(url);
  const naming = (error: Error) => namingProxy(proxyUrl, error);
  let asking: Socket | undefined;
  let broken: Error | undefined;
  /** A client that connects through the proxy with the given `connect`. */
  const through = (origin: string | URL, { connect, ...more }: ConnectingOptions): Dispatcher =>
    new Client(origin, {
      ...connectionOptions(options),
      ...more,
      connect: (to, done) => {
        broken = undefined;
        const isProxy = new URL(origin).origin === proxyUrl.origin;
        const note = (error: Error) => {
          broken = error;
        };
        connect(to, connecting(done, isProxy ? naming : (error) => error, note));
      },
    });
  const dispatcher = new ProxyAgent({
    ...connectionOptions(options),
    uri: url,
    requestTls: tlsOptions(options),
    factory: through,
    // The connection that requests a tunnel from the proxy. A proxy may accept it and never answer.
    clientFactory: (to, { connect }: { connect: buildConnector.connector }) =>
      new Client(to, {
        headersTimeout: options.connectTimeout,
        connect: (target, done) => {
          asking = connect(target, connecting(done, naming)) as unknown as Socket;
        },
      }).compose(asksForTunnel(proxyUrl)),
    ...(username !== undefined && password !== undefined
      ? { token: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
      : {}),
  });
  return {
    dispatcher,
    hangUp: () => asking?.destroy(new Error('the request was abandoned before the tunnel was established')),
    broken: () => broken,
    naming,
  };
};

/** The options with which undici calls a factory of clients behind a proxy; its type omits them. */
interface ConnectingOptions {
  readonly connect: buildConnector.connector;
}
