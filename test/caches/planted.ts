import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach } from '@jest/globals';

/** The end of a planted answer, once its bytes are written. */
export type Ending = 'stays' | 'ends' | 'resets';

/** Servers that answer every request with the given bytes. They are closed after the test. */
export const plantedServers = (): ((bytes: string | Buffer, ending?: Ending) => Promise<string>) => {
  const open: { readonly close: () => void }[] = [];
  afterEach(() => {
    for (const { close } of open.splice(0)) close();
  });
  return async (bytes, ending = 'stays') => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket
        .on('error', () => {})
        .once('data', () => {
          socket.write(bytes, 'latin1', () => {
            if (ending === 'ends') socket.end();
            if (ending === 'resets') socket.resetAndDestroy();
          });
        });
    });
    open.push({
      close: () => {
        server.close();
        for (const socket of sockets) socket.destroy();
      },
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
};
