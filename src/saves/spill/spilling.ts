import { Subject } from 'rxjs';
import type { Chunk } from '../../../pipelines/model/index.ts';
import type { Fillable } from '../../../pipelines/operators/basin.ts';
import { BLOCK, sumBlocks } from '../../lib/block-sums.ts';
import type { Semaphore } from '../../lib/semaphore.ts';
import { readBlocks, type StoredBlocks } from '../../lib/stored-blocks.ts';
import { writeAll } from '../copies/files.ts';
import type { Backlog } from '../copies/write-backlog.ts';
import type { Space } from './space.ts';

interface SpillingOptions {
  readonly space: Space;
  readonly backlog: Backlog;
  /** Limits disk operations. */
  readonly semaphore: Semaphore;
  readonly onError: (error: unknown) => void;
}

/**
 * The bytes of one transfer in the spill file, from its byte `from` on. `reserved` blocks were set
 * aside for it. Chunks are held until the disk has them. They are written in order, so those that
 * can be read are the first ones.
 */
export const startSpilling = (
  { space, backlog, semaphore, onError }: SpillingOptions,
  from: number,
  reserved: number,
): Fillable<Chunk> => {
  const blocks: number[] = [];
  const summer = sumBlocks();
  const changed = new Subject<void>();
  /** Blocks set aside and not taken. */
  let left = reserved;
  let queue: Chunk[] = [];
  let length = 0;
  let written = 0;
  let taking = true;
  let writing = false;
  let failed = false;
  let holders = 0;

  const isOver = () => !taking && !writing;
  const stored: StoredBlocks = {
    get fd() {
      return space.open();
    },
    name: 'the spill file',
    // The sum of an incomplete block would be that of more bytes than are written.
    readable: () => (isOver() && !failed ? written : written - (written % BLOCK)),
    over: isOver,
    placeOf: (index) => (blocks[index] ?? 0) * BLOCK,
    sumOf: summer.sumOf,
    semaphore,
    changed,
    retain: () => {
      holders += 1;
    },
    release: () => {
      holders -= 1;
      if (holders > 0) return;
      stop();
      space.give(blocks.splice(0));
    },
  };

  /** Takes no more, and gives back the blocks that are not needed. */
  const stop = () => {
    taking = false;
    if (left > 0) space.cancel(left);
    left = 0;
  };
  const end = () => {
    if (!taking) return;
    stop();
    changed.next();
  };
  const settle = (chunks: readonly Chunk[]) => {
    for (const { bytes, loan } of chunks) {
      backlog.give(bytes.length);
      loan?.release();
    }
  };

  const drain = async (): Promise<void> => {
    if (writing) return;
    writing = true;
    stored.retain();
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      try {
        await semaphore(() => put(batch));
        for (const { bytes } of batch) written += bytes.length;
        changed.next();
      } catch (error) {
        failed = true;
        onError(error);
        stop();
        settle(queue.splice(0));
      }
      settle(batch);
    }
    writing = false;
    changed.next();
    stored.release();
  };

  /** Writes chunks, the pieces of each block together. */
  const put = async (chunks: readonly Chunk[]): Promise<void> => {
    // Nobody will read them.
    if (holders === 1) return;
    let at = written;
    let pieces: Uint8Array[] = [];
    let begin = at;
    const flush = async () => {
      const place = (blocks[Math.floor(begin / BLOCK)] ?? 0) * BLOCK + (begin % BLOCK);
      await writeAll(space.open(), pieces, place);
      pieces = [];
      begin = at;
    };
    for (const { bytes } of chunks)
      for (let taken = 0; taken < bytes.length; ) {
        const piece = bytes.subarray(taken, taken + BLOCK - (at % BLOCK));
        pieces.push(piece);
        taken += piece.length;
        at += piece.length;
        if (at % BLOCK === 0) await flush();
      }
    if (pieces.length > 0) await flush();
  };

  /** Takes blocks for further bytes, if there are any. */
  const hasRoom = (bytes: number): boolean => {
    const needed = Math.ceil((length + bytes) / BLOCK) - blocks.length;
    if (needed > left) {
      if (!space.reserve(needed - left)) return false;
      left = needed;
    }
    for (let count = 0; count < needed; count++) blocks.push(space.take());
    left -= needed;
    return true;
  };

  return {
    from,
    get to() {
      return from + (failed ? stored.readable() : length);
    },
    get taking() {
      return taking;
    },
    ready: backlog.valve,
    write: (chunk) => {
      const { bytes, loan } = chunk;
      const mayWait = taking && backlog.take(bytes.length);
      if (mayWait && hasRoom(bytes.length)) {
        summer.update(bytes);
        loan?.retain();
        length += bytes.length;
        queue.push(chunk);
        void drain();
        return true;
      }
      end();
      // Sources may continue at once: what they emit must not be taken in place of this.
      if (mayWait) backlog.give(bytes.length);
      return false;
    },
    end,
    read: (at) => readBlocks(stored, at - from),
    retain: stored.retain,
    release: stored.release,
  };
};
