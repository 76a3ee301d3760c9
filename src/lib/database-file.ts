import { backup, DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { openAsOwner } from './act-as.ts';
import { messageOf } from './thrown.ts';

/** Milliseconds that a command waits for a database that another process locks for a moment. */
const PATIENCE = 5_000;

/**
 * Pages of one step: all of them. A step is one reading transaction, for which no writer waits; with
 * several, a writer in another process would make the copy begin again each time.
 */
const ALL_PAGES = 2 ** 31 - 1;

/**
 * Copies a database, which other processes may be writing to, as it is at one moment. The new file
 * must be there, empty: its mode stays. Rejects with SQLite's error.
 */
export const copyDatabase = async (file: string, to: string): Promise<void> => {
  const database = openAsOwner(file, () => {
    const opened = new DatabaseSync(file, { timeout: PATIENCE });
    // Opens the log, too, while this process acts as the owner.
    layoutOf(opened);
    return opened;
  });
  try {
    await backup(database, to, { rate: ALL_PAGES });
  } finally {
    database.close();
  }
};

export interface Inspected {
  /** `user_version`: the layout of its tables. 0 if this program did not make it. */
  readonly layout: number;
  /** What SQLite finds wrong with it; absent if it is whole. */
  readonly damage?: string;
}

/** Reads all of a database that nothing writes to. Makes no file beside it. Never throws. */
export const inspectDatabase = (file: string): Inspected => {
  try {
    const database = new DatabaseSync(new URL(`${pathToFileURL(file)}?immutable=1`), { readOnly: true });
    try {
      const layout = layoutOf(database);
      const found = String(database.prepare('PRAGMA quick_check(1)').get()?.quick_check);
      return { layout, ...(found !== 'ok' && { damage: found.replaceAll('\n', ' ') }) };
    } finally {
      database.close();
    }
  } catch (error) {
    return { layout: 0, damage: messageOf(error) };
  }
};

/**
 * Gives the space of what was removed from a database back to the disk. Readers of other processes
 * continue, and their writes wait. Until the end the disk holds the database twice. Throws SQLite's
 * errors.
 */
export const shrinkDatabase = (file: string, patience: number): void =>
  run(file, patience, 'VACUUM; PRAGMA wal_checkpoint(TRUNCATE)');

/**
 * Moves the log of a database into it, and removes it unless another process uses the database.
 * Throws SQLite's errors.
 */
export const settleDatabase = (file: string): void => run(file, PATIENCE, 'PRAGMA wal_checkpoint(TRUNCATE)');

const run = (file: string, patience: number, sql: string): void =>
  openAsOwner(file, () => {
    const database = new DatabaseSync(file, { timeout: patience });
    try {
      database.exec(sql);
    } finally {
      database.close();
    }
  });

const layoutOf = (database: DatabaseSync): number =>
  Number(database.prepare('PRAGMA user_version').get()?.user_version);
