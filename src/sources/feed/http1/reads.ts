import type { OnReadOpts } from 'node:net';
import { isMine, type Level, lend, lendable, levelFor, loanOf, SIZES } from '../../../lib/lent-buffers.ts';
import { awaitTurn, isTurnOver } from './turns.ts';

/** Memory below this many bytes is not read into: a system call for so little costs too much. */
const ROOM = 8 * 1024;

/**
 * Where sockets that are paused read first when they resume, all of them: what is read is copied
 * out at once. So a source that waits for its client holds no memory.
 */
const PARKING = Buffer.alloc(SIZES[0]);

/** Memory that only bodies of some length fill: there may be much more. */
const BULK: Level = 2;

/** The largest memory that a connection without a request holds. */
const RESTING: Level = 2;

interface Reader {
  /** Receives what was read. The bytes are lent for the call. */
  take(bytes: Buffer): void;
  /** Whether to continue reading. */
  wants(): boolean;
  /** Whether nothing is expected for now. */
  rests(): boolean;
  /** Whether to gather what arrives in one turn of the event loop, while this many bytes wait. */
  gathers(waiting: number): boolean;
  /** Reads on, if that is still wanted: reading was stopped until its turn. */
  again(): void;
}

/** Reading of one socket into lent memory, by its option `onread`. */
interface Reads {
  readonly onread: OnReadOpts;
  /** Delivers what was gathered. */
  flush(): void;
  /** Releases the memory. */
  release(): void;
}

/**
 * The memory grows while reads fill it. A reader that pauses holds none, one that rests little.
 *
 * TLS delivers records of 16 KiB. Those of one turn of the event loop are gathered, since each
 * piece costs a walk through all stages and a write to the client.
 */
export const lentReads = (reader: Reader): Reads => {
  /** Undefined while nothing is held: `free` is then in the common memory. */
  let memory: Uint8Array | undefined = lend(0);
  /** The memory for the next read: the part of it that is free. */
  let free: Uint8Array = memory;
  /** Where the bytes begin that were not delivered yet. */
  let from = 0;
  let level: Level = 0;
  /** Bytes that the reader took since its last pause, or since it rested. */
  let steady = 0;
  let flushing: NodeJS.Immediate | undefined;
  let awaiting = false;
  let released = false;

  const again = () => {
    awaiting = false;
    if (!released) reader.again();
  };

  const flush = () => {
    clearImmediate(flushing);
    flushing = undefined;
    const to = free.byteOffset;
    if (!memory || to === from || released) return;
    const bytes = Buffer.from(memory.buffer as ArrayBuffer, from, to - from);
    from = to;
    reader.take(bytes);
  };

  /** Moves what was read from the common memory. */
  const unpark = (count: number): Uint8Array => {
    memory = lend(0, count);
    memory.set(PARKING.subarray(0, count));
    free = memory;
    from = 0;
    return memory;
  };

  /** Reads nothing for now. */
  const park = () => {
    if (memory) loanOf(memory)?.release();
    memory = undefined;
    free = PARKING.subarray(0, lendable(0));
  };

  /** The same memory again if what was read is not held, otherwise its rest, otherwise other memory. */
  const renew = () => {
    if (memory?.length === SIZES[level]) {
      if (isMine(memory)) {
        free = memory;
        from = 0;
        return;
      }
      if (free.length >= ROOM) return;
    }
    if (memory) loanOf(memory)?.release();
    memory = lend(level);
    free = memory;
    from = 0;
  };

  return {
    onread: {
      buffer: () => free,
      callback: (count) => {
        const room = free.length;
        const { buffer, byteOffset, length } = memory ? free : unpark(count);
        free = new Uint8Array(buffer, byteOffset + count, length - count);
        if (free.length >= ROOM && reader.gathers(free.byteOffset - from)) {
          flushing ??= setImmediate(flush);
          return true;
        }
        flush();
        if (released) return false;
        const hasMore = free.length < ROOM && level >= BULK;
        const wants = reader.wants();
        const rests = reader.rests();
        // The next response may be for a client that reads nothing.
        steady = wants && !rests ? steady + count : 0;
        level = wants ? levelAfter(level, count, room, steady) : 0;
        if (rests && level > RESTING) level = RESTING;
        if (wants) renew();
        else park();
        if (!wants || rests || !hasMore || !isTurnOver(again)) return wants;
        // A pause may have come and gone since it began to wait.
        if (!awaiting) awaitTurn(again);
        awaiting = true;
        return false;
      },
    },
    flush,
    release: () => {
      if (released) return;
      clearImmediate(flushing);
      released = true;
      park();
    },
  };
};

/** A larger size after a read that filled its memory; a smaller one after little. */
const levelAfter = (level: Level, count: number, room: number, steady: number): Level => {
  if (count === room) return level === 0 ? 1 : levelFor(steady);
  return count * 2 < room && level > 0 ? ((level - 1) as Level) : level;
};
