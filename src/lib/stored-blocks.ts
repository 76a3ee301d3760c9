import { read } from 'node:fs';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import type { Subject } from 'rxjs';
import { type Chunk, LOANS, StreamError } from '../../pipelines/model/index.ts';
import { createFlow } from '../../pipelines/operators/create-flow.ts';
import { BLOCK } from './block-sums.ts';
import { lend, loanOf } from './lent-buffers.ts';
import type { Semaphore } from './semaphore.ts';
import { messageOf } from './thrown.ts';

/** Content that is written to disk in blocks while it is read. */
export interface StoredBlocks {
  readonly fd: number;
  /** For messages. */
  readonly name: string;
  /** The bytes on disk: whole blocks, and the last one once it is complete. */
  readable(): number;
  /** Whether no more bytes will be readable. */
  over(): boolean;
  /** Where a block lies in the file. */
  placeOf(block: number): number;
  /** The CRC-32 of a readable block. */
  sumOf(block: number): number | undefined;
  /** Limits reads, each of which holds a block in memory. */
  readonly semaphore: Semaphore;
  /** Emits after each change of `readable` and `over`. */
  readonly changed: Subject<void>;
  /** Keeps the blocks until `release` is called as often. */
  retain(): void;
  release(): void;
}

const readFd = promisify(read);

/**
 * Emits the bytes from `first` on while the valve is open, and waits for those that are not written
 * yet. Each block is compared with its sum before its bytes leave. Completes after the last byte.
 * Errors with `CHANGED` if a block is not as it was written, and with `UNREADABLE` if it cannot be
 * read. What a closing valve leaves of a block is read again later.
 */
export const readBlocks = (stored: StoredBlocks, first: number) =>
  createFlow<Chunk>((sink) => {
    let at = first;
    let paused = false;
    let reading = false;
    let over = false;

    const end = (how: () => void) => {
      over = true;
      changes.unsubscribe();
      how();
    };
    const failed = (code: 'CHANGED' | 'UNREADABLE', what: string, cause?: unknown) =>
      sink.error(new StreamError(code, 'disk', `${stored.name} ${what}`, { cause }));

    const emit = (block: Buffer, start: number) => {
      while (at < start + block.length && !paused && !over) {
        // A slow client holds one of them, not a block.
        const piece = lend(0);
        const count = block.copy(piece, 0, at - start, Math.min(at - start + piece.length, block.length));
        at += count;
        const loan = loanOf(piece);
        sink.next({ type: 'chunk', bytes: piece.subarray(0, count), loan });
        loan?.release();
      }
    };

    const next = () => {
      if (paused || reading || over) return;
      if (at >= stored.readable()) {
        if (stored.over()) end(() => sink.complete());
        return;
      }
      reading = true;
      stored.retain();
      stored.semaphore(readBlock).finally(() => {
        reading = false;
        stored.release();
        next();
      });
    };

    /** Emits what is wanted of the next block. Never rejects. */
    const readBlock = async () => {
      // What happened in the queue.
      if (paused || over) return;
      const block = Math.floor(at / BLOCK);
      const start = block * BLOCK;
      const memory = lend(1, BLOCK);
      const bytes = memory.subarray(0, Math.min(BLOCK, stored.readable() - start));
      try {
        const { bytesRead } = await readFd(stored.fd, bytes, 0, bytes.length, stored.placeOf(block));
        if (over) return;
        if (bytesRead < bytes.length || crc32(bytes) !== stored.sumOf(block))
          end(() => failed('CHANGED', `changed after byte ${start} since it was written`));
        else emit(bytes, start);
      } catch (error) {
        if (!over) end(() => failed('UNREADABLE', `cannot be read: ${messageOf(error)}`, error));
      } finally {
        loanOf(memory)?.release();
      }
    };

    const changes = stored.changed.subscribe(next);
    next();
    return {
      pause: () => {
        paused = true;
      },
      resume: () => {
        paused = false;
        next();
      },
      close: () => {
        over = true;
        changes.unsubscribe();
      },
    };
  }, LOANS);
