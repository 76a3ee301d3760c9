import { connect, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions as TlsOptions } from 'node:tls';
import type { ConnectionOptions } from '../connection-options.ts';
import { plainHost } from '../reach.ts';
import { checkServerIdentity } from '../server-identity.ts';
import { closeNotify } from './close-notify.ts';
import { Http1Error } from './errors.ts';

interface Dialled {
  readonly socket: Socket;
  /** Whether the end that was read was sent by the peer itself, which over TLS has to say so. */
  ownEnd(): boolean;
}

/** Begins a connection that reads by `onread`. Calls `ready` when requests may be sent. */
export type Dial = (onread: OnReadOpts, ready: () => void) => Dialled;

/** After this many milliseconds without traffic, the kernel asks whether the peer is still there. */
const PROBE_AFTER = 60_000;

/**
 * Makes connections to an origin. They share the last TLS session: resuming it saves a handshake.
 * The time-out includes name look-up and handshake.
 */
export const dialTo = (
  origin: URL,
  { connectTimeout, secureContext, access, reach, home }: ConnectionOptions,
): Dial => {
  const isSecure = origin.protocol === 'https:';
  const host = plainHost(origin.hostname);
  const port = Number(origin.port || (isSecure ? 443 : 80));
  const tcp = {
    // Node looks no literal address up, so with a dot at its end. One that an operator named is open.
    host: home !== undefined && isIP(host) !== 0 ? `${host}.` : host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: PROBE_AFTER,
    lookup: reach.lookupFor(host, home ?? host),
  };
  const tls = {
    ...tcp,
    // An address is not a server name (RFC 6066 section 3).
    servername: isIP(host) === 0 ? host : '',
    secureContext,
    rejectUnauthorized: access.verifyServer !== false,
    checkServerIdentity,
    ALPNProtocols: ['http/1.1'],
  };
  let session: Buffer | undefined;

  const secure = (onread: OnReadOpts): Dialled => {
    const noting: OnReadOpts = {
      buffer: onread.buffer,
      callback: (count, memory) => {
        notify.noteRead();
        return onread.callback(count, memory);
      },
    };
    const socket = connectTls({ ...tls, session, onread: noting } as TlsOptions);
    const notify = closeNotify(socket);
    socket.on('session', (fresh) => {
      session = fresh;
    });
    return { socket, ownEnd: notify.wasReceived };
  };

  return (onread, ready) => {
    const dialled = isSecure ? secure(onread) : { socket: connect({ ...tcp, onread }), ownEnd: () => true };
    const { socket } = dialled;
    const late = () => socket.destroy(new Http1Error('CONNECT_TIMEOUT', `no connection within ${connectTimeout} ms`));
    const timer = connectTimeout > 0 ? setTimeout(late, connectTimeout) : undefined;
    socket.once('close', () => clearTimeout(timer));
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      ready();
    });
    return dialled;
  };
};

/** Makes connections to a unix socket of this machine. */
export const dialLocal =
  (path: string): Dial =>
  (onread, ready) => {
    const socket = connect({ path, onread });
    socket.once('connect', ready);
    return { socket, ownEnd: () => true };
  };
