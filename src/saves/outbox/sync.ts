import { DatabaseSync } from 'node:sqlite';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { messageOf } from '../../lib/thrown.ts';
import { syncPath, unlessMissing } from '../copies/files.ts';

/** Milliseconds after a commit within which the disk is asked to make it last. */
const WITHIN = 1_000;
/** Rows written after which the log (about 10 KB a row) is brought into the database. */
const ROWS = 4_000;
/** Tells the thread that this file starts from any other thread that imports it. */
const THREAD = 'pulp-streamer:checkpoints';

export interface Durable {
  /** So many rows were committed. */
  soon(rows: number): void;
  close(): void;
}

interface DurableOptions {
  readonly onError: (error: unknown) => void;
  /** Brings what was written to a file to its disk. Default: what the system has for it. */
  readonly sync?: (file: string) => Promise<void>;
}

/**
 * Makes a database's commits last, with nobody waiting for it: its log is synced at most once a second, on a thread of Node's own pool.
 * Now and then a thread that is started for it brings the log into the database: it takes tens of milliseconds, and on the main thread
 * every transfer would stand still meanwhile.
 */
export const makeDurable = (file: string, { onError, sync = syncPath }: DurableOptions): Durable => {
  let timer: NodeJS.Timeout | undefined;
  let worker: Worker | undefined;
  let rows = 0;

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

  const settle = () => {
    timer = undefined;
    // Whoever closes the database last brings the log into it, and removes it.
    unlessMissing(sync(`${file}-wal`)).catch(onError);
    if (rows < ROWS) return;
    rows = 0;
    worker ??= start();
    worker.postMessage(file);
  };

  return {
    soon: (more) => {
      rows += more;
      timer ??= setTimeout(settle, WITHIN).unref();
    },
    close: () => {
      clearTimeout(timer);
      worker?.removeAllListeners().terminate();
    },
  };
};

const checkpoint = (file: string): void => {
  try {
    using database = new DatabaseSync(file);
    // PASSIVE: waits for no reader and no writer, and lets none wait.
    database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_checkpoint(PASSIVE)');
  } catch (error) {
    parentPort?.postMessage(messageOf(error));
  }
};

if (workerData === THREAD) parentPort?.on('message', checkpoint);
