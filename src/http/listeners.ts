import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ListenAddress } from './addresses.ts';

export interface HttpServer {
  /** Resolves to what it listens on, once it does everywhere; rejects, listening nowhere, where one address cannot be had. */
  listen(addresses: readonly ListenAddress[], port: number): Promise<readonly AddressInfo[]>;
  /** Takes no more requests; resolves once the running ones ended, at the latest after so many milliseconds, when they are cut. */
  stop(within: number): Promise<void>;
}

/** One listener on several addresses. `refuse` answers what Node's parser did not let become a request. */
export const createListeners = (
  options: ServerOptions,
  listener: RequestListener,
  refuse: (error: NodeJS.ErrnoException, socket: Socket) => void,
): HttpServer => {
  const servers: Server[] = [];
  let stopping = false;

  const close = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));

  const create = (): Server => {
    const server = createServer(options, (req, res) => {
      // A connection that is kept alive would outlive the last request by far: Node closes only those that are idle already.
      res.on('close', () => {
        if (stopping) setImmediate(() => server.closeIdleConnections());
      });
      listener(req, res);
    });
    return server.on('clientError', refuse);
  };

  return {
    listen: async (addresses, port) => {
      try {
        const bound: AddressInfo[] = [];
        for (const address of addresses) {
          const server = create();
          // With port 0 all addresses share the port that the first one was given.
          bound.push(await listenOn(server, address, bound[0]?.port ?? port));
          servers.push(server);
        }
        return bound;
      } catch (error) {
        await Promise.all(servers.splice(0).map(close));
        throw error;
      }
    },
    stop: async (within) => {
      stopping = true;
      const closed = Promise.all(servers.map(close));
      const cut = setTimeout(() => {
        for (const server of servers) server.closeAllConnections();
      }, within);
      await closed;
      clearTimeout(cut);
    },
  };
};

const listenOn = (server: Server, { host, ipv6Only }: ListenAddress, port: number): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only }, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
