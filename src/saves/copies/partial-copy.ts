import { unlink } from 'node:fs/promises';
import { inheritFile } from '../../lib/private-files.ts';
import { closeFd, openFd, syncFd, unlessMissing, writeAll } from './files.ts';
import type { Semaphore } from './semaphore.ts';
import type { Backlog } from './write-backlog.ts';

export interface PartialCopy {
  /** Queues bytes for writing, by reference. Never waits and never throws. */
  write(bytes: Uint8Array): void;
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
  let queue: Uint8Array[] = [];
  let ending: 'finish' | 'abort' | undefined;
  let wake = () => {};

  /** Writes until `finish` or `abort`. */
  const copy = async (fd: number): Promise<void> => {
    for (;;) {
      if (ending === 'abort') return;
      const batch = queue;
      queue = [];
      if (batch.length > 0) {
        await semaphore(() => writeAll(fd, batch)).finally(() => backlog.give(lengthOf(batch)));
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
    backlog.give(lengthOf(queue));
    queue = [];
    await unlessMissing(unlink(file)).catch(onError);
    return false;
  };
  const result = run();

  return {
    write: (bytes) => {
      if (ending) return;
      if (!backlog.take(bytes.length)) return giveUp(new Error('the disk is too slow: the backlog is full'));
      queue.push(bytes);
      wake();
    },
    finish: () => end('finish'),
    abort: () => end('abort'),
  };
};

const lengthOf = (chunks: readonly Uint8Array[]): number => chunks.reduce((sum, { length }) => sum + length, 0);
