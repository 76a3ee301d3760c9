import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { StreamError } from '../../pipelines/model/errors.ts';
import type { FinishedRequest } from '../lib/finished-request.ts';
import { authorityText, type HostPattern, readAuthority } from '../lib/host-pattern.ts';
import { type Asking, peerAddress } from './client-address.ts';
import type { TransferSlots } from './limits.ts';

/** How CONNECT is answered (RFC 9110 section 9.3.6). */
export interface Tunnels {
  /** Throws `HOST_REFUSED` if a client may not reach a server. */
  readonly check: (server: HostPattern, client: string) => void;
  /** Begins a connection, of which each side ends separately. */
  readonly dial: (server: HostPattern) => Socket;
  /** The reason why a server cannot be reached. */
  readonly failed: (server: HostPattern, error: Error) => StreamError;
  /** Milliseconds after which a tunnel ends in which nothing passes. 0: no limit. */
  readonly idleTimeout: number;
}

/** Connects a client with its server. `first` is what the client has sent already. */
export type OpenTunnel = (socket: Socket, first: Buffer) => void;

interface Options {
  readonly tunnels: Tunnels;
  readonly slots: TransferSlots;
  readonly clientOf?: (asking: Asking) => string;
  readonly newId: () => string;
  /** Milliseconds. */
  readonly now: () => number;
  readonly finished: (finished: FinishedRequest) => void;
  /** The whole response to a request whose server cannot be reached. */
  readonly refuse: (error: StreamError, client: string, req: IncomingMessage) => string;
}

/**
 * The tunnel that a request asks for. It counts as a transfer of its client. Throws a StreamError, with
 * nothing begun, if the client may not have it.
 */
export const tunnelFor = (
  req: IncomingMessage,
  { tunnels, slots, refuse, newId, now, finished, clientOf = peerAddress }: Options,
): OpenTunnel => {
  const { url: target = '' } = req;
  const client = clientOf(req);
  const server = /:\d+$/.test(target) ? readAuthority(target, 'https') : undefined;
  if (!server)
    throw new StreamError(
      'BAD_TARGET',
      'client',
      `the target ${JSON.stringify(target)} is malformed: expected HOST:PORT`,
    );
  tunnels.check(server, client);
  const place = slots.enter(client);

  return (socket, first) => {
    const [id, began] = [newId(), now()];
    const upstream = tunnels.dial(server);
    const over = (status: number) => {
      place.leave();
      finished({ id, method: 'CONNECT', target: authorityText(server), status, client, duration: now() - began });
    };
    const failed = (error: Error) => {
      socket.off('close', left);
      place.leave();
      socket.end(refuse(tunnels.failed(server, error), client, req));
    };
    const left = () => {
      upstream.destroy();
      over(499);
    };
    socket.once('close', left);
    upstream.once('error', failed);
    upstream.once('connect', () => {
      upstream.off('error', failed);
      socket.off('close', left);
      upstream.setTimeout(tunnels.idleTimeout, () => upstream.destroy());
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(first);
      // Either side may end first; an error ends both.
      pipeline(socket, upstream, socket, (error) => over(error ? 499 : 200));
    });
  };
};
