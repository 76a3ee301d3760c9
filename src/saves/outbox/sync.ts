import { DatabaseSync } from 'node:sqlite';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { messageOf } from '../../lib/thrown.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import { syncPath } from '../copies/files.ts';

/** Milliseconds from a commit to the sync of the log. */
const WITHIN = 1_000;
/** Rows written before the log (about 10 KB a row) is moved into the database. */
const ROWS = 4_000;
/** Marks the thread that this file starts, because other threads may import the file too. */
const THREAD = 'pulp-streamer:checkpoints';

export interface Durable {
  /** Reports that rows were committed. */
  soon(rows: number): void;
  close(): void;
}

interface DurableOptions {
  readonly onError: (error: unknown) => void;
  /** Syncs a file to its disk. Default: the system's call for it. */
  readonly sync?: (file: string) => Promise<void>;
}

/**
 * Makes a database's commits durable in the background. The log is synced at most once a second, on
 * a thread of Node's pool. From time to time a worker thread moves the log into the database. This
 * takes tens of milliseconds; on the main thread it would stop every transfer.
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
    // No log file: the last connection that closes moves it into the database and removes it.
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
    // PASSIVE: waits for no reader or writer and blocks none.
    database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_checkpoint(PASSIVE)');
  } catch (error) {
    parentPort?.postMessage(messageOf(error));
  }
};

if (workerData === THREAD) parentPort?.on('message', checkpoint);
