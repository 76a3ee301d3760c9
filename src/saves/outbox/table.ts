import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CatalogEntry, PendingSaveRequest } from '../../../pipelines/model/index.ts';
import { openAsOwner } from '../../lib/act-as.ts';
import { otherLayout } from '../../lib/layout.ts';
import { makeFileSync, makeFolderSync } from '../../lib/private-files.ts';
import { entryIn } from './entry-in.ts';

/** A save request before it is written to the table, with its entry as JSON. */
export interface NewSave {
  readonly requestId: string;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  readonly unitId: string;
  readonly path: string;
  readonly entry: string;
  /** Unix milliseconds. */
  readonly appendedAt: number;
}

/** The result of a delivery. */
export type Change = 'remove' | { readonly dueAt: number; readonly reason: string };

/** A save request as an operator sees it. */
export interface WaitingSave extends PendingSaveRequest {
  /** Milliseconds since it was appended. */
  readonly age: number;
  /** Milliseconds until its next delivery. 0 or less: as soon as the window has room. */
  readonly dueIn: number;
  /** The reason of the last failure. */
  readonly reason?: string;
}

/** The number of waiting save requests and the age of the oldest. */
export interface Depth {
  readonly waiting: number;
  /** Milliseconds; 0 if none is waiting. */
  readonly age: number;
}

/** The layout of the table. */
export const LAYOUT = 1;

// AUTOINCREMENT: ids are never reused, so a late change cannot affect a newer save request.
const TABLE = `
  CREATE TABLE saves (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    unit_id TEXT NOT NULL,
    path TEXT NOT NULL,
    request_id TEXT NOT NULL,
    traceparent TEXT,
    entry TEXT NOT NULL CHECK (json_valid(entry)),
    noted_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    UNIQUE (unit_id, path)
  ) STRICT;
  CREATE INDEX saves_by_due ON saves (due_at, id);
  PRAGMA user_version = ${LAYOUT};
`;

/** A column of numbers. Another program may have written some that are none in JavaScript. */
const safe = (column: string): string =>
  `max(min(${column}, ${Number.MAX_SAFE_INTEGER}), ${Number.MIN_SAFE_INTEGER}) AS ${column}`;
const COLUMNS = `id, unit_id, path, request_id, traceparent, tracestate, entry, ${['noted_at', 'due_at', 'failures'].map(safe)}, reason`;

interface Row {
  readonly id: number;
  readonly unit_id: string;
  readonly path: string;
  readonly request_id: string;
  readonly traceparent: string | null;
  readonly tracestate: string | null;
  readonly entry: string;
  readonly noted_at: number;
  readonly due_at: number;
  readonly failures: number;
  readonly reason: string | null;
}

const toSave = (row: Row, entry: CatalogEntry): PendingSaveRequest => ({
  id: row.id,
  requestId: row.request_id,
  ...(row.traceparent !== null && { traceparent: row.traceparent }),
  ...(row.tracestate !== null && { tracestate: row.tracestate }),
  entry,
  failures: row.failures,
  notedAt: row.noted_at,
});

/** What is shown of a row that this program did not write, in addition to its columns. */
const NOTHING = { importerId: '', unitTypeId: '', url: '', revision: 0, data: {} };

export type SavesTable = ReturnType<typeof openSavesTable>;

/**
 * The waiting save requests in one SQLite file, created on first use. All methods throw SQLite's
 * errors. Times are Unix milliseconds.
 */
export const openSavesTable = (file: string, lockWait: number) => {
  makeFolderSync(dirname(file));
  const database = openAsOwner(file, () => openPrepared(file, lockWait));
  const insert = database.prepare(
    `INSERT INTO saves (unit_id, path, request_id, traceparent, tracestate, entry, noted_at, due_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
     ON CONFLICT (unit_id, path) DO NOTHING`,
  );
  const remove = database.prepare('DELETE FROM saves WHERE id = ?');
  const putOff = database.prepare(
    `UPDATE saves SET failures = min(failures, ${Number.MAX_SAFE_INTEGER}) + 1, due_at = ?, reason = ? WHERE id = ?`,
  );
  const due = database.prepare('SELECT id FROM saves WHERE due_at <= ? ORDER BY due_at, id LIMIT ?');
  const next = database.prepare(`SELECT ${safe('due_at')} FROM saves WHERE due_at > ? ORDER BY saves.due_at LIMIT 1`);
  const byId = database.prepare(`SELECT ${COLUMNS} FROM saves WHERE id = ?`);
  const retry = database.prepare('UPDATE saves SET due_at = :now WHERE due_at > :now AND id = ifnull(:id, id)');
  const drop = database.prepare('DELETE FROM saves WHERE id = ifnull(?, id)');
  const count = database.prepare('SELECT count(*) AS count FROM saves');
  const oldest = database.prepare(`SELECT ${safe('noted_at')} FROM saves ORDER BY id LIMIT 1`);

  return {
    /** Writes everything in one transaction, or nothing. */
    write: (changes: Iterable<[id: number, Change]>, newSaves: Iterable<NewSave>): void =>
      transact(database, () => {
        for (const [id, change] of changes) {
          if (change === 'remove') remove.run(id);
          else putOff.run(change.dueAt, change.reason, id);
        }
        for (const { unitId, path, requestId, traceparent, tracestate, entry, appendedAt } of newSaves)
          insert.run(unitId, path, requestId, traceparent ?? null, tracestate ?? null, entry, appendedAt);
      }),
    /** Ids of the due save requests, oldest first. */
    due: (now: number, limit: number): number[] => due.all(now, limit).map((row) => Number(row.id)),
    /** The time at which the next one after `now` is due. */
    nextDue: (now: number): number | undefined => {
      const at = next.get(now)?.due_at;
      return typeof at === 'number' ? at : undefined;
    },
    /** `'odd'`: a row that this program did not write. */
    get: (id: number): PendingSaveRequest | 'odd' | undefined => {
      const row = byId.get(id) as unknown as Row | undefined;
      const entry = row && entryIn(row.entry);
      return entry ? toSave(row, entry) : row && 'odd';
    },
    /** Rows are read during iteration, so a million save requests need no memory. */
    list: function* (now: number): Generator<WaitingSave> {
      for (const found of database.prepare(`SELECT ${COLUMNS} FROM saves ORDER BY id`).iterate()) {
        const row = found as unknown as Row;
        const entry = entryIn(row.entry) ?? { ...NOTHING, unitId: row.unit_id, path: row.path };
        const waiting = { ...toSave(row, entry), age: now - row.noted_at, dueIn: row.due_at - now };
        yield row.reason === null ? waiting : { ...waiting, reason: row.reason };
      }
    },
    depth: (now: number): Depth => {
      const at = oldest.get()?.noted_at;
      return { waiting: Number(count.get()?.count), age: typeof at === 'number' ? now - at : 0 };
    },
    retry: (id: number | undefined, now: number): number => Number(retry.run({ id: id ?? null, now }).changes),
    drop: (id: number | undefined): number => Number(drop.run(id ?? null).changes),
    close: () => database.close(),
  };
};

const versionOf = (database: DatabaseSync): number =>
  Number(database.prepare('PRAGMA user_version').get()?.user_version);

/** Tables of the first releases lack it. Those name the columns that they write. */
const addState = (database: DatabaseSync): void => {
  const columns = database.prepare("SELECT name FROM pragma_table_info('saves')").all();
  if (!columns.some(({ name }) => name === 'tracestate')) database.exec('ALTER TABLE saves ADD COLUMN tracestate TEXT');
};

const openPrepared = (file: string, lockWait: number): DatabaseSync => {
  makeFileSync(file);
  const database = new DatabaseSync(file, { timeout: lockWait });
  try {
    prepare(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
};

const prepare = (database: DatabaseSync): void => {
  // NORMAL: a commit does not wait for the disk, but a checkpoint does. So does the first commit
  // after it, which restarts the log. Checkpoints are rare and run on another thread. If that
  // thread never finds a pause between commits and the log grows to 64 MiB, this thread makes one.
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 16384; PRAGMA journal_size_limit = 67108864',
  );
  transact(database, () => {
    if (versionOf(database) === 0) database.exec(TABLE);
    if (versionOf(database) === LAYOUT) addState(database);
  });
  if (versionOf(database) !== LAYOUT) {
    throw otherLayout(versionOf(database), LAYOUT);
  }
};

const transact = (database: DatabaseSync, work: () => void): void => {
  database.exec('BEGIN IMMEDIATE');
  try {
    work();
    database.exec('COMMIT');
  } catch (error) {
    // SQLite has already rolled back after some errors (disk full, for example).
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
};
