// Runs on a thread of its own: what was committed is brought to the disk here, where waiting for it holds up nobody.
import { DatabaseSync } from 'node:sqlite';
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../thrown.ts';

parentPort?.on('message', (file: string) => {
  try {
    using database = new DatabaseSync(file);
    // PASSIVE: waits for no reader and no writer, and lets none wait.
    database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_checkpoint(PASSIVE)');
    parentPort?.postMessage(undefined);
  } catch (error) {
    parentPort?.postMessage(messageOf(error));
  }
});
