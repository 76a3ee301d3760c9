import { accessSync, constants } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { makeFileSync } from './private-files.ts';
import { SQLITE, sqliteCode } from './sqlite-errors.ts';

/** An exclusive lock on a file. */
export interface FileLock {
  release(): void;
}

/**
 * Locks a file, which is made if it is missing; returns `undefined` if another holder has it. Throws
 * the system's or SQLite's error if there can be no lock, for example on a read-only file system.
 *
 * The kernel releases the lock when this process ends, however it ends. An id in a file would
 * outlive its process, and the processes of two containers may have the same id. Node cannot lock
 * files, but SQLite can: the file is an empty database in a transaction that never writes.
 */
export const lockFile = (file: string): FileLock | undefined => {
  makeFileSync(file);
  // SQLite would open a file that cannot be written to for reading, and lock nothing.
  accessSync(file, constants.W_OK);
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // A journal on disk would be one more file.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (sqliteCode(error) === SQLITE.BUSY) return undefined;
    throw error;
  }
  return { release: () => database.close() };
};
