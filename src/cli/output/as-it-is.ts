import * as fs from 'node:fs';
import { connect, Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import type { Place } from './place.ts';
import { ended, type Target } from './target.ts';

/**
 * Writes to what is there: a stream of this process, a device, a FIFO, a socket. It is never
 * replaced or removed.
 */
export const asItIs = (stream: Writable): Target => {
  // Standard output and error stay open for what else the process has to say.
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

/** The stream to write to a place. Resolves once it is open: a FIFO waits for its reader. */
export const streamTo = async (place: Exclude<Place, { kind: 'file' }>): Promise<Writable> => {
  if (place.kind === 'descriptor') return inherited(place.fd);
  if (place.stats.isSocket()) return connected(place.path);
  // Without O_CREAT: if it is gone by now, no regular file takes its place.
  const fd = await promisify(fs.open)(place.path, fs.constants.O_WRONLY | fs.constants.O_NOCTTY);
  // Not by fs, which writes on a thread: a reader that has stopped reading would keep the process
  // from ending.
  return place.stats.isFIFO() ? asSocket(fd) : fs.createWriteStream('', { fd });
};

const inherited = (fd: number): Writable => {
  if (fd === process.stdout.fd) return process.stdout;
  if (fd === process.stderr.fd) return process.stderr;
  // A pipe by fs nevertheless: other processes that share it would meet the O_NONBLOCK that a
  // socket sets.
  return fs.fstatSync(fd).isSocket() ? asSocket(fd) : fs.createWriteStream('', { fd });
};

const asSocket = (fd: number): Writable => new Socket({ fd, readable: false, writable: true });

const connected = (path: string): Promise<Writable> =>
  new Promise((resolve, reject) => {
    // Half open: a peer that only reads may have ended its side.
    const socket = connect({ path, allowHalfOpen: true }, () => resolve(socket.off('error', reject)));
    socket.on('error', reject).resume();
  });
