import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { openAsOwner } from '../../lib/act-as.ts';
import { otherLayout } from '../../lib/layout.ts';
import { makeFileSync, makeFolderSync } from '../../lib/private-files.ts';

/** The newest layout of the tables that this version reads. Older ones are migrated when they are opened. */
export const LAYOUT = 2;

// The tables have the names and fields of Pulp's collections. Three columns are additions. `size`:
// Pulp keeps it in `data`, if at all. `prefix`: the import that wrote the entry, so that a
// re-import replaces only its own entries. `replaced`: 1 if the path had other content before.
const TABLES = `
  CREATE TABLE lazy_content_catalog (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    importer_id TEXT NOT NULL,
    unit_id TEXT NOT NULL,
    unit_type_id TEXT NOT NULL,
    url TEXT NOT NULL,
    checksum TEXT,
    checksum_algorithm TEXT,
    size INTEGER,
    revision INTEGER NOT NULL,
    data TEXT NOT NULL,
    prefix TEXT,
    replaced INTEGER NOT NULL DEFAULT 0,
    UNIQUE (path, importer_id, revision)
  ) STRICT;
  CREATE INDEX entries_of_unit ON lazy_content_catalog (unit_id);

  CREATE TABLE units (
    id TEXT NOT NULL,
    type_id TEXT NOT NULL,
    unit_key TEXT NOT NULL,
    PRIMARY KEY (id, type_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE repo_importers (
    id TEXT PRIMARY KEY,
    repo_id TEXT,
    importer_type_id TEXT,
    config TEXT NOT NULL
  ) STRICT;

  CREATE TABLE content_catalog (
    id INTEGER PRIMARY KEY,
    source_id TEXT NOT NULL,
    expiration INTEGER NOT NULL,
    type_id TEXT NOT NULL,
    unit_key TEXT NOT NULL,
    locator TEXT NOT NULL,
    url TEXT NOT NULL
  ) STRICT;
  CREATE INDEX content_by_locator ON content_catalog (locator);
  CREATE INDEX content_by_source ON content_catalog (source_id, expiration);
  CREATE INDEX content_by_expiration ON content_catalog (expiration);

  PRAGMA user_version = ${LAYOUT};
`;

/** From layout 1 to 2. For existing entries the earlier content is unknown. */
const MIGRATION = `
  ALTER TABLE lazy_content_catalog ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0;
  PRAGMA user_version = ${LAYOUT};
`;

const versionOf = (database: DatabaseSync): number =>
  Number(database.prepare('PRAGMA user_version').get()?.user_version);

/** Runs `work` in one transaction: all or nothing. */
export const transact = <T>(database: DatabaseSync, work: () => T): T => {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite has already rolled back after some errors (disk full, for one).
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
};

/** Milliseconds that opening waits for a write of another process. */
const OPENING = 5_000;

/**
 * Opens the database; creates it and its folder on first use. `busyTimeout`: milliseconds to wait
 * for a write of another process once it is open. `checkpointPages`: see TableOptions.
 */
export const openDatabase = (file: string, busyTimeout: number, checkpointPages: number): DatabaseSync => {
  if (file === ':memory:') return openPrepared(file, busyTimeout, checkpointPages);
  makeFolderSync(dirname(file));
  return openAsOwner(file, () => {
    makeFileSync(file);
    return openPrepared(file, busyTimeout, checkpointPages);
  });
};

const openPrepared = (file: string, busyTimeout: number, checkpointPages: number): DatabaseSync => {
  const database = new DatabaseSync(file, { timeout: Math.max(OPENING, busyTimeout) });
  try {
    // In WAL mode, readers never wait for a writer. NORMAL then keeps the file consistent; a power
    // cut can cost only the last commits.
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384',
    );
    if (versionOf(database) < LAYOUT) {
      transact(database, () => {
        // Another process may have created or migrated it in between.
        const version = versionOf(database);
        if (version === 0) database.exec(TABLES);
        if (version === 1) database.exec(MIGRATION);
      });
    }
    checkVersion(database);
    database.exec(`PRAGMA busy_timeout = ${busyTimeout}; PRAGMA wal_autocheckpoint = ${checkpointPages}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
};

/** Opens the database as it is on disk. Throws unless this version wrote it. */
export const openImmutable = (file: string): DatabaseSync => {
  const database = new DatabaseSync(new URL(`${pathToFileURL(file)}?immutable=1`), { readOnly: true });
  try {
    checkVersion(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
};

const checkVersion = (database: DatabaseSync): void => {
  if (versionOf(database) !== LAYOUT) throw otherLayout(versionOf(database), LAYOUT);
};
