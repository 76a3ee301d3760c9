import type { Server } from 'node:http';
import { type AddressInfo, type ListenOptions, Server as NetServer } from 'node:net';
import type { OpenSocket } from '../lib/open-socket.ts';
import { messageOf } from '../lib/thrown.ts';
import type { ListenAddress } from './addresses.ts';
import { UnknownInterfaceError } from './unknown-interface.ts';

/** Closes the server, and ends its timers. */
export const endServer = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));

/**
 * Accepts no more connections; resolves once all are closed. The `close` of an HTTP server would
 * first destroy connections whose response Node counts as finished, although the client has not
 * read it all. If the body ends with the connection, the client would not notice the missing part.
 */
export const closeListener = (server: Server) =>
  new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));

export const listenOn = async (server: Server, address: ListenAddress, port: number): Promise<AddressInfo> => {
  await bind(server, { ...address, port });
  return server.address() as AddressInfo;
};

/** Connections that wait to be accepted, as far as the kernel allows: the socket's opener chose the number. */
const BACKLOG = 65_535;

export const listenOnOpen = async (server: Server, { fd, name }: OpenSocket): Promise<AddressInfo> => {
  try {
    await bind(server, { fd, backlog: BACKLOG });
    const address = server.address() as AddressInfo | null;
    if (address?.address !== undefined) return address;
    await endServer(server);
    throw new Error('it has no IP address');
  } catch (error) {
    throw new UnknownInterfaceError(
      `cannot listen on socket ${fd}${name && ` (${name})`}: ${messageOf(error)}; expected a TCP socket that listens (ListenStream=)`,
    );
  }
};

/** Resolves once it listens; rejects with the system’s error. */
export const bind = (server: Server, where: ListenOptions & { readonly fd?: number }): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
