import { type OnReadOpts, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { isMine, type Level, lend, loanOf, SIZES } from '../../lib/lent-buffers.ts';

/** The state of a socket that reads into lent memory. */
interface Reads {
  /** Bytes that the parser has not taken yet, each retained. */
  readonly queue: Buffer[];
  /** The bytes that the parser has taken last. It is done with them when it asks for more. */
  taken: Buffer | undefined;
  /** The memory that the socket reads into, held by the socket. */
  into: Uint8Array | undefined;
  level: Level;
  /** The socket's end was read, but not all bytes before it were taken. */
  ended: boolean;
  /** Hands out the records of this turn. */
  flushing: NodeJS.Immediate | undefined;
}

const READS = Symbol('reads');
type ReadingSocket = Socket & { [READS]?: Reads };

/** Memory below this many bytes is not read into: a system call for so little costs too much. */
const ROOM = 8 * 1024;

/** The memory for the next read. Node asks for it right after each read. */
let next: Uint8Array | undefined;

/**
 * The `onread` option of sockets that read into lent memory. Each socket must be passed to
 * `readLent`. The memory grows while reads fill it, and shrinks when the parser pauses.
 *
 * TLS delivers records of 16 KiB. Those of one turn of the event loop are gathered, since each
 * piece costs a walk through all stages and a write to the client.
 */
export const lentReads: OnReadOpts = {
  buffer: () => {
    const memory = next ?? lend(0);
    next = undefined;
    return memory;
  },
  callback(this: ReadingSocket, count: number, memory: Uint8Array): boolean {
    const reads = readsOf(this);
    reads.into = memory;
    const stalled = reads.queue.length > 0 && !reads.flushing;
    enqueue(reads.queue, Buffer.from(memory.buffer as ArrayBuffer, memory.byteOffset, count));
    const rest = memory.subarray(count);
    if (this instanceof TLSSocket && rest.length >= ROOM && !stalled) {
      reads.flushing ??= setImmediate(flush, this, reads);
      next = reads.into = rest;
      return true;
    }
    flush(this, reads);
    const wants = reads.queue.length === 0;
    reads.level = levelAfter(reads.level, count, memory.length, wants);
    next = reads.into = memoryAfter(memory, rest, reads.level);
    return wants;
  },
};

/** Lets a socket made with `lentReads` deliver what it reads by `read`, as any other socket. */
export const readLent = (socket: ReadingSocket): void => {
  const reads: Reads = { queue: [], taken: undefined, into: undefined, level: 0, ended: false, flushing: undefined };
  socket[READS] = reads;
  const settle = () => {
    if (reads.taken) loanOf(reads.taken)?.release();
    reads.taken = undefined;
  };
  socket.read = (size?: number) => {
    if (size === 0) return Socket.prototype.read.call(socket, 0);
    settle();
    reads.taken = reads.queue.shift();
    if (reads.ended && !reads.taken) {
      reads.ended = false;
      socket.push(null);
    }
    // Without bytes: continues reading, or delivers the end.
    return reads.taken ?? Socket.prototype.read.call(socket);
  };
  socket.unshift = (bytes: Buffer) => {
    if (bytes.length > 0) {
      loanOf(bytes)?.retain();
      reads.queue.unshift(bytes);
    }
    settle();
  };
  // The end comes after the bytes that are queued, whether they wait for the parser or for the turn
  // to end. So does an error.
  socket.push = (bytes) => {
    if (bytes !== null || reads.queue.length === 0) return Socket.prototype.push.call(socket, bytes);
    reads.ended = true;
    return false;
  };
  for (const event of ['error', 'close'] as const)
    socket.on(event, () => {
      if (reads.flushing) flush(socket, reads);
    });
  socket.once('close', () => {
    settle();
    for (const bytes of reads.queue.splice(0)) loanOf(bytes)?.release();
    if (reads.into) loanOf(reads.into)?.release();
  });
};

const readsOf = (socket: ReadingSocket): Reads => {
  const reads = socket[READS];
  if (!reads) throw new Error('a socket with lentReads was not passed to readLent');
  return reads;
};

const flush = (socket: ReadingSocket, reads: Reads): void => {
  clearImmediate(reads.flushing);
  reads.flushing = undefined;
  socket.emit('readable');
};

/** Adds bytes, to the last ones if they continue them in memory. */
const enqueue = (queue: Buffer[], bytes: Buffer): void => {
  const last = queue.at(-1);
  if (last?.buffer === bytes.buffer && last.byteOffset + last.length === bytes.byteOffset) {
    queue[queue.length - 1] = Buffer.from(bytes.buffer, last.byteOffset, last.length + bytes.length);
    return;
  }
  loanOf(bytes)?.retain();
  queue.push(bytes);
};

/**
 * A larger size after a read that filled its memory; a smaller one after little, or a pause. So an
 * idle connection, whose last read brought the end of a body, seldom keeps a large buffer.
 */
const levelAfter = (level: Level, count: number, room: number, wants: boolean): Level => {
  if (!wants) return 0;
  if (count === room) return level === 0 ? 1 : 2;
  return count * 2 < room && level > 0 ? ((level - 1) as Level) : level;
};

/** The same memory again if nobody holds what was read, else its rest, else other memory. */
const memoryAfter = (memory: Uint8Array, rest: Uint8Array, level: Level): Uint8Array => {
  const { buffer } = memory;
  if (buffer.byteLength === SIZES[level]) {
    if (isMine(memory)) return new Uint8Array(buffer);
    if (rest.length >= ROOM) return rest;
  }
  loanOf(memory)?.release();
  return lend(level);
};
