import type { Socket } from 'node:net';

/**
 * Cuts a connection, so that neither a cache nor a client takes what it got for the whole: by a
 * reset, which every client understands. Only TCP has one: others, such as TLS and Unix sockets, are
 * closed before the body is complete.
 */
export const reset = (socket: Socket | null): void => {
  if (socket === null || socket.destroyed) return;
  try {
    socket.resetAndDestroy();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_INVALID_HANDLE_TYPE') throw error;
    socket.destroy();
  }
};
