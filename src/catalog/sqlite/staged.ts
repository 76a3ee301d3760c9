import type { DatabaseSync } from 'node:sqlite';
import type { Conflict, Conflicts } from '../publication.ts';
import type { NewEntry } from '../stored-entry.ts';
import { COLUMNS, toValues } from './rows.ts';
import { unitText } from './units.ts';

/** Entries that wait for their publication, in a temporary table. Repeated entries count once. */
export interface Staged {
  readonly table: string;
  /** The index on `path, importer_id, revision, checksum`: see `indexByPath`. */
  readonly byPath: string;
  write(entries: readonly NewEntry[]): void;
  /** Created after all rows were written, which is much faster than updating it for each row. */
  indexByPath(): void;
  conflicts(): Conflicts;
  /** SQL: columns of the first of each group of repeated entries, in the order of the index. */
  first(columns: string): string;
  drop(): void;
}

const NAMES = COLUMNS.split(', ');
const SHOWN_CONFLICTS = 20;
/** Digests of two algorithms can be of the same content. The first one counts. */
const CONTRADICT = '(a.checksum_algorithm IS b.checksum_algorithm AND a.checksum IS NOT b.checksum)';

/** Creates the table in a connection, which may have several. */
export const makeStaged = (database: DatabaseSync): Staged => {
  const table = `staging_${crypto.randomUUID().replaceAll('-', '')}`;
  const byPath = `by_path_${table}`;
  database.exec(`CREATE TEMP TABLE ${table} (id INTEGER PRIMARY KEY, ${COLUMNS}, unit_key)`);
  const insert = database.prepare(
    `INSERT INTO ${table} (${COLUMNS}, unit_key) VALUES (${NAMES.map(() => '?').join(', ')}, ?)`,
  );
  const indexByPath = (): void =>
    database.exec(`CREATE INDEX IF NOT EXISTS temp.${byPath} ON ${table} (path, importer_id, revision, checksum)`);
  return {
    table,
    byPath,
    indexByPath,
    write: (entries) => {
      // Locks the temporary database only, so no other process waits for it.
      database.exec('BEGIN');
      try {
        for (const entry of entries) insert.run(...toValues(entry), unitText(entry.unitKey));
      } finally {
        database.exec('COMMIT');
      }
    },
    conflicts: () => {
      indexByPath();
      const others = `FROM (
          SELECT path, importer_id, revision, min(id) AS id FROM ${table}
          GROUP BY path, importer_id, revision HAVING count(*) > 1
        ) leading JOIN ${table} a ON a.id = leading.id
        JOIN ${table} b ON b.path = a.path AND b.importer_id = a.importer_id AND b.revision = a.revision AND b.id > a.id
        WHERE ${CONTRADICT} OR a.url <> b.url`;
      const count = Number(database.prepare(`SELECT count(*) AS count ${others}`).get()?.count);
      if (count === 0) return { count, shown: [] };
      const shown = database.prepare(
        `SELECT b.path AS path, a.id AS first, b.id AS second ${others} ORDER BY b.id LIMIT ${SHOWN_CONFLICTS}`,
      );
      return { count, shown: shown.all() as unknown as Conflict[] };
    },
    // SQLite takes the other columns from the row with the minimum.
    first: (columns) => `SELECT ${columns} FROM (SELECT *, min(id) FROM ${table} GROUP BY path, importer_id, revision)`,
    drop: () => database.exec(`DROP TABLE IF EXISTS temp.${table}`),
  };
};
