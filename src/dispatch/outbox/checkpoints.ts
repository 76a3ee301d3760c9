import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

/** Milliseconds after a commit within which the disk is asked to make it last. */
const WITHIN = 1_000;

export interface Checkpoints {
  /** Something was committed. */
  soon(): void;
  close(): void;
}

/**
 * Brings a database's commits to the disk, at most once a second, on a thread of its own that is started on first use:
 * syncing takes tens of milliseconds, and on the main thread every transfer would stand still meanwhile.
 */
export const makeCheckpoints = (file: string, onError: (error: unknown) => void): Checkpoints => {
  let worker: Worker | undefined;
  let timer: NodeJS.Timeout | undefined;

  const start = (): Worker => {
    // The same folder holds .ts files as written and .js files as built.
    const script = new URL(`./checkpoint${extname(import.meta.url)}`, import.meta.url);
    const started = new Worker(script);
    started.unref();
    started.on('message', (failure: string | undefined) => {
      if (failure !== undefined) onError(new Error(failure));
    });
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
