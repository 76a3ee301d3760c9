import { unlink } from 'node:fs/promises';
import { Subject } from 'rxjs';
import type { Loan } from '../../../pipelines/model/index.ts';
import { BLOCK } from '../../lib/block-sums.ts';
import { inheritFile } from '../../lib/private-files.ts';
import type { Semaphore } from '../../lib/semaphore.ts';
import type { StoredBlocks } from '../../lib/stored-blocks.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import { closeFd, openFd, syncFd, writeAll } from './files.ts';
import type { Progress } from './progress.ts';
import type { Backlog } from './write-backlog.ts';

export interface PartialCopy {
  /** Queues bytes for writing, by reference. Never waits and never throws. */
  write(bytes: Uint8Array, loan?: Loan): void;
  /**
   * Ends the content. Resolves with true once it would survive a power cut, or with false if the
   * copy was abandoned. Never rejects.
   */
  finish(): Promise<boolean>;
  /** Resolves once the file is removed. */
  abort(): Promise<boolean>;
  /** Whether it takes more bytes. */
  readonly taking: boolean;
  /** Whether it was abandoned: it has only what is on disk. */
  readonly lost: boolean;
  /** The bytes on disk. They can be read while the copy is in the making, and afterwards. */
  readonly stored: StoredBlocks;
}

interface PartialCopyOptions {
  readonly file: string;
  readonly backlog: Backlog;
  /** Limits disk operations, because they block threads of the shared pool. */
  readonly semaphore: Semaphore;
  /** The CRC-32 of a block. */
  readonly sumOf: (block: number) => number | undefined;
  /** Where the bytes on disk are counted. */
  readonly progress: Pick<Progress, 'written'>;
  /** Called once with the reason the copy was abandoned. */
  readonly onError: (error: unknown) => void;
}

/**
 * A file in the making. It is abandoned and removed if the disk fails (full, for example), or if it
 * is so slow that the backlog is full.
 */
export const startPartialCopy = (options: PartialCopyOptions): PartialCopy => {
  const { file, backlog, semaphore, sumOf, progress, onError } = options;
  let queue: Piece[] = [];

  const settle = (pieces: readonly Piece[]) => {
    backlog.give(lengthOf(pieces));
    for (const { loan } of pieces) loan?.release();
  };

  /** The descriptor, closed when neither the writer nor a reader needs it. */
  let fd: number | undefined;
  let holders = 1;
  let over = false;
  const changed = new Subject<void>();

  const release = () => {
    holders -= 1;
    if (holders === 0 && fd !== undefined) closeFd(fd).catch(onError);
  };

  let ending: 'finish' | 'abort' | undefined;
  let wake = () => {};

  /** Writes until `finish` or `abort`. */
  const copy = async (fd: number): Promise<void> => {
    for (;;) {
      if (ending === 'abort') return;
      const batch = queue;
      queue = [];
      if (batch.length > 0) {
        // Memory that was given back may be gone, and its length with it.
        const length = lengthOf(batch);
        await semaphore(() =>
          writeAll(
            fd,
            batch.map(({ bytes }) => bytes),
          ),
        ).finally(() => settle(batch));
        progress.written += length;
        changed.next();
      } else if (ending === 'finish') {
        return semaphore(() => syncFd(fd));
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  };

  const end = (how: 'finish' | 'abort') => {
    ending ??= how;
    wake();
    return result;
  };

  const giveUp = (error: unknown) => {
    if (ending !== 'abort') onError(error);
    ending = 'abort';
    wake();
  };

  const run = async (): Promise<boolean> => {
    try {
      fd = await semaphore(() => openFd(file, 'wx+', 0o600));
      inheritFile(fd, file);
      await copy(fd);
    } catch (error) {
      giveUp(error);
    }
    over = true;
    changed.next();
    release();
    if (ending !== 'abort') return true;
    settle(queue);
    queue = [];
    await unlessMissing(unlink(file)).catch(onError);
    return false;
  };
  const result = run();

  return {
    write: (bytes, loan) => {
      if (ending) return;
      if (!backlog.take(bytes.length)) return giveUp(new Error('the disk is too slow: the backlog is full'));
      loan?.retain();
      queue.push({ bytes, loan });
      wake();
    },
    finish: () => end('finish'),
    abort: () => end('abort'),
    get taking() {
      return ending === undefined;
    },
    get lost() {
      return ending === 'abort';
    },
    stored: {
      get fd() {
        return fd ?? -1;
      },
      name: file,
      // The sum of an incomplete block would be that of more bytes than are written.
      readable: () => {
        const { written } = progress;
        return over && ending === 'finish' ? written : written - (written % BLOCK);
      },
      over: () => over,
      placeOf: (block) => block * BLOCK,
      sumOf,
      semaphore,
      changed,
      retain: () => {
        holders += 1;
      },
      release,
    },
  };
};

/** Bytes that wait for the disk. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly loan?: Loan;
}

const lengthOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
