import type { DatabaseSync } from 'node:sqlite';
import type { Selection } from '../../repositories/format.ts';
import { rangeBelow, trimPrefix } from './prefix.ts';

/** A repository that was imported: how to import it again, and what came of the last time. */
export interface StoredRepository {
  /** Its place in the catalog, without a slash at the end. */
  readonly prefix: string;
  /** The importer whose entries it has there. */
  readonly importerId: string;
  readonly format: string;
  /** Its URL, with a slash at the end. */
  readonly base: string;
  readonly selection: Selection;
  /** Whether an odd entry ends the import. */
  readonly strict: boolean;
  /** Seconds after which it is imported again. Absent: only on request. */
  readonly every?: number;
  /** Entries of its last revision. */
  readonly packages: number;
  readonly metadata: number;
  /**
   * The SHA-256 of each file of the last revision that nothing else vouches for, by URL; `null` for
   * one that did not exist. As long as they stay the same, so does everything that they name.
   * Absent if that is not certain.
   */
  readonly roots?: Readonly<Record<string, string | null>>;
  /** Unix seconds of the last success and of the last try. */
  readonly succeeded: number;
  readonly attempted: number;
  /** The reason why the last try failed. Absent if it did not. */
  readonly problem?: string;
}

/** Identifies a repository. */
export type RepositoryKey = Pick<StoredRepository, 'prefix' | 'importerId'>;

/** `repositories`: what was imported below which prefix. */
export interface Repositories {
  /** In the order of prefixes. */
  list(): StoredRepository[];
  find(key: RepositoryKey): StoredRepository | undefined;
  /** Adds or replaces a repository. */
  save(repository: StoredRepository): void;
  /** Records a try that failed. Without effect for an unknown repository. */
  failed(key: RepositoryKey, attempted: number, problem: string): void;
  /** Removes those at or below a prefix; with an importer, only its own. */
  removeBelow(prefix: string, importerId?: string): void;
}

// Pulp has no such collection: it keeps a repository's feed in its importer.
const COLUMNS = `(
    prefix TEXT NOT NULL,
    importer_id TEXT NOT NULL,
    format TEXT NOT NULL,
    base TEXT NOT NULL,
    selection TEXT NOT NULL,
    strict INTEGER NOT NULL,
    every INTEGER,
    packages INTEGER NOT NULL,
    metadata INTEGER NOT NULL,
    roots TEXT,
    succeeded REAL NOT NULL,
    attempted REAL NOT NULL,
    problem TEXT,
    PRIMARY KEY (prefix, importer_id)
  ) STRICT, WITHOUT ROWID`;

/** Makes the table, in memory if an earlier version wrote the file and nothing may be written to it. */
const makeTable = (database: DatabaseSync, immutable: boolean): void => {
  const known = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'repositories'").get();
  if (!known) database.exec(`CREATE ${immutable ? 'TEMP ' : ''}TABLE IF NOT EXISTS repositories ${COLUMNS}`);
};

const toRepository = (row: Record<string, unknown>): StoredRepository => ({
  prefix: String(row.prefix),
  importerId: String(row.importer_id),
  format: String(row.format),
  base: String(row.base),
  selection: JSON.parse(String(row.selection)),
  strict: row.strict === 1,
  ...(row.every !== null && { every: Number(row.every) }),
  packages: Number(row.packages),
  metadata: Number(row.metadata),
  ...(row.roots !== null && { roots: JSON.parse(String(row.roots)) }),
  succeeded: Number(row.succeeded),
  attempted: Number(row.attempted),
  ...(row.problem !== null && { problem: String(row.problem) }),
});

export const makeRepositories = (database: DatabaseSync, immutable = false): Repositories => {
  makeTable(database, immutable);
  const all = database.prepare('SELECT * FROM repositories ORDER BY prefix, importer_id');
  const one = database.prepare('SELECT * FROM repositories WHERE prefix = ? AND importer_id = ?');
  const save = database.prepare(
    `INSERT OR REPLACE INTO repositories
       (prefix, importer_id, format, base, selection, strict, every, packages, metadata, roots, succeeded, attempted, problem)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const failed = database.prepare(
    'UPDATE repositories SET attempted = ?, problem = ? WHERE prefix = ? AND importer_id = ?',
  );
  const remove = database.prepare(
    `DELETE FROM repositories
     WHERE (prefix = :prefix OR (prefix >= :from AND prefix < :before)) AND importer_id = ifnull(:importer, importer_id)`,
  );
  return {
    list: () => all.all().map(toRepository),
    find: ({ prefix, importerId }) => {
      const row = one.get(trimPrefix(prefix), importerId);
      return row && toRepository(row);
    },
    save: ({ prefix, importerId, format, base, selection, strict, roots, ...numbers }) => {
      const { every = null, packages, metadata, succeeded, attempted, problem = null } = numbers;
      save.run(
        ...[
          trimPrefix(prefix),
          importerId,
          format,
          base,
          JSON.stringify(selection),
          Number(strict),
          every,
          packages,
          metadata,
        ],
        ...[roots ? JSON.stringify(roots) : null, succeeded, attempted, problem],
      );
    },
    failed: ({ prefix, importerId }, attempted, problem) => {
      failed.run(attempted, problem, trimPrefix(prefix), importerId);
    },
    removeBelow: (prefix, importerId) => {
      const [from, before] = rangeBelow(prefix);
      remove.run({ prefix: trimPrefix(prefix), from, before, importer: importerId ?? null });
    },
  };
};
