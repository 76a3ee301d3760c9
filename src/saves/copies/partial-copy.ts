import { unlink } from 'node:fs/promises';
import type { Loan } from '../../../pipelines/model/index.ts';
import { inheritFile } from '../../lib/private-files.ts';
import { closeFd, openFd, syncFd, unlessMissing, writeAll } from './files.ts';
import type { Semaphore } from './semaphore.ts';
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
}

interface PartialCopyOptions {
  readonly file: string;
  readonly backlog: Backlog;
  /** Limits disk operations, because they block threads of the shared pool. */
  readonly semaphore: Semaphore;
  /** Called once with the reason the copy was abandoned. */
  readonly onError: (error: unknown) => void;
}

/**
 * A file in the making. It is abandoned and removed if the disk fails (full, for example), or if it
 * is so slow that the backlog is full.
 */
export const startPartialCopy = ({ file, backlog, semaphore, onError }: PartialCopyOptions): PartialCopy => {
  let queue: Piece[] = [];

  const settle = (pieces: readonly Piece[]) => {
    backlog.give(lengthOf(pieces));
    for (const { loan } of pieces) loan?.release();
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
        await semaphore(() =>
          writeAll(
            fd,
            batch.map(({ bytes }) => bytes),
          ),
        ).finally(() => settle(batch));
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
      const fd = await semaphore(() => openFd(file, 'wx', 0o600));
      try {
        inheritFile(fd, file);
        await copy(fd);
      } finally {
        await closeFd(fd);
      }
    } catch (error) {
      giveUp(error);
    }
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
  };
};

/** Bytes that wait for the disk. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly loan?: Loan;
}

const lengthOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
