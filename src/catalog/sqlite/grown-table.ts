import type { DatabaseSync } from 'node:sqlite';
import { transact } from './schema.ts';

/** A table that gets further columns from version to version. */
export interface GrownTable {
  readonly name: string;
  /** The columns of its first version: types by name. */
  readonly first: Readonly<Record<string, string>>;
  /** The columns of its primary key. */
  readonly key: string;
  /** The columns that were added since: types by name. In existing rows they are NULL. */
  readonly added: Readonly<Record<string, string>>;
}

/**
 * Makes a table, or adds the columns that it lacks because an earlier version made it. If nothing
 * may be written to the file, a copy in memory takes the table's place.
 */
export const makeGrownTable = (database: DatabaseSync, table: GrownTable, immutable: boolean): void => {
  const { name, first, key, added } = table;
  const info = database.prepare('SELECT name FROM pragma_table_info(?)');
  const columns = (): string[] => info.all(name).map((row) => String(row.name));
  const known = columns();
  if (known.length > 0 && Object.keys(added).every((column) => known.includes(column))) return;
  const make = (kind: '' | 'TEMP'): void => {
    const types = Object.entries(first).map((column) => column.join(' '));
    database.exec(`CREATE ${kind} TABLE ${name} (${types}, PRIMARY KEY (${key})) STRICT, WITHOUT ROWID`);
  };
  const grow = (has: readonly string[]): void => {
    for (const [column, type] of Object.entries(added))
      if (!has.includes(column)) database.exec(`ALTER TABLE ${name} ADD COLUMN ${column} ${type}`);
  };
  if (immutable) {
    database.exec('PRAGMA temp_store = MEMORY');
    make('TEMP');
    grow([]);
    if (known.length > 0) database.exec(`INSERT INTO temp.${name} (${known}) SELECT ${known} FROM main.${name}`);
    return;
  }
  transact(database, () => {
    // Another process may have made or changed it in between.
    const has = columns();
    if (has.length === 0) make('');
    grow(has);
  });
};
