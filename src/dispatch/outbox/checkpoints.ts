import { DatabaseSync } from 'node:sqlite';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { messageOf } from '../thrown.ts';

/** Milliseconds after a commit within which the disk is asked to make it last. */
const WITHIN = 1_000;
/** Tells the thread that this file starts from any other thread that imports it. */
const THREAD = 'pulp-streamer:checkpoints';

export interface Checkpoints {
  /** Something was committed. */
  soon(): void;
  close(): void;
}

/**
 * Brings a database's commits to the disk, at most once a second, on a thread of its own that is started on first use:
 * that takes tens of milliseconds, and on the main thread every transfer would stand still meanwhile.
 */
export const makeCheckpoints = (file: string, onError: (error: unknown) => void): Checkpoints => {
  let worker: Worker | undefined;
  let timer: NodeJS.Timeout | undefined;

  const start = (): Worker => {
    const started = new Worker(new URL(import.meta.url), { workerData: THREAD });
    started.unref();
    started.on('message', onError);
    started.on('error', (error) => {
      worker = undefined;
      onError(error);
    });
    return started;
  };

  const checkpoint = () => {
    timer = undefined;
    worker ??= start();
    worker.postMessage(file);
  };

  return {
    soon: () => {
      timer ??= setTimeout(checkpoint, WITHIN).unref();
    },
    close: () => {
      clearTimeout(timer);
      worker?.removeAllListeners().terminate();
    },
  };
};

const checkpointNow = (file: string): void => {
  try {
    using database = new DatabaseSync(file);
    // PASSIVE: waits for no reader and no writer, and lets none wait.
    database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_checkpoint(PASSIVE)');
  } catch (error) {
    parentPort?.postMessage(messageOf(error));
  }
};

if (workerData === THREAD) parentPort?.on('message', checkpointNow);
