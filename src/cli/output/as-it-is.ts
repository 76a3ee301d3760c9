import * as fs from 'node:fs';
import { connect, Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import type { Place } from './place.ts';
import { ended, type Target } from './target.ts';

/**
 * Writes directly to an existing stream of this process, device, FIFO or socket. It is never
 * replaced or removed.
 */
export const asItIs = (stream: Writable): Target => {
  // Standard output and error stay open: the process may still write other things to them.
  const stays = stream === process.stdout || stream === process.stderr;
  return {
    start: () => stream,
    finish: async () => {
      if (!stays) await ended(stream);
    },
    discard: () => {
      if (!stays) stream.destroy();
    },
  };
};

/** The writable stream for a place. Resolves once it is open: a FIFO waits for its reader. */
export const streamTo = async (place: Exclude<Place, { kind: 'file' }>): Promise<Writable> => {
  if (place.kind === 'descriptor') return inherited(place.fd);
  if (place.stats.isSocket()) return connected(place.path);
  // Without O_CREAT: if the place was removed since, no regular file is created instead.
  const fd = await promisify(fs.open)(place.path, fs.constants.O_WRONLY | fs.constants.O_NOCTTY);
  // Not with fs, which writes on a thread: a reader that stopped reading would keep the process
  // alive.
  return place.stats.isFIFO() ? asSocket(fd) : fs.createWriteStream('', { fd });
};

const inherited = (fd: number): Writable => {
  if (fd === process.stdout.fd) return process.stdout;
  if (fd === process.stderr.fd) return process.stderr;
  // A pipe uses fs all the same: a socket sets O_NONBLOCK, also for other processes that share the
  // pipe.
  return fs.fstatSync(fd).isSocket() ? asSocket(fd) : fs.createWriteStream('', { fd });
};

const asSocket = (fd: number): Writable => new Socket({ fd, readable: false, writable: true });

const connected = (path: string): Promise<Writable> =>
  new Promise((resolve, reject) => {
    // Half-open: a peer that only reads may have closed its sending side.
    const socket = connect({ path, allowHalfOpen: true }, () => resolve(socket.off('error', reject)));
    socket.on('error', reject).resume();
  });
