import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { SQLITE, sqliteCode } from '../../lib/sqlite-errors.ts';
import type { StoredEntry } from '../stored-entry.ts';
import type { EntryBefore, History } from './history.ts';
import { COLUMNS, type EntryRow, toEntry } from './rows.ts';
import { transact } from './schema.ts';

/** Rows that are read in one step, in which nothing else runs: about a millisecond. */
const STEP = 200;

type Row = EntryRow & { readonly id: number };

/**
 * All entries, oldest first, in steps between which entries may come and go: an open query would keep
 * this connection from writing. Those that belong to no revision since `before` (Unix seconds) are
 * removed instead, with their units, unless another process is writing. Then those of earlier
 * revisions.
 */
export const makeTidied = (database: DatabaseSync, history: Pick<History, 'page'>) => {
  const page = database.prepare(
    `SELECT id, ${COLUMNS} FROM lazy_content_catalog WHERE id > ? ORDER BY id LIMIT ${STEP}`,
  );
  const removeEntry = database.prepare('DELETE FROM lazy_content_catalog WHERE id = ?');
  const removeUnit = database.prepare(
    `DELETE FROM units WHERE id = :unitId AND type_id = :unitTypeId
     AND NOT EXISTS (SELECT 1 FROM lazy_content_catalog WHERE unit_id = :unitId)
     AND NOT EXISTS (SELECT 1 FROM entries_before WHERE unit_id = :unitId)`,
  );

  const remove = (rows: readonly Row[]): void =>
    transact(database, () => {
      for (const { id, unit_id: unitId, unit_type_id: unitTypeId } of rows) {
        removeEntry.run(id);
        removeUnit.run({ unitId, unitTypeId });
      }
    });

  return async function* (before: number): AsyncGenerator<readonly StoredEntry[]> {
    for (let last = 0; ; ) {
      const rows = page.all(last) as unknown as readonly Row[];
      if (rows.length === 0) break;
      last = rows.at(-1)?.id ?? last;
      const found = rows.map((row) => ({ row, entry: toEntry(row) }));
      const over = found.filter(({ entry }) => Number(entry.data.gone_since ?? Number.POSITIVE_INFINITY) <= before);
      yield found.filter((one) => !over.includes(one)).map(({ entry }) => entry);
      try {
        if (over.length > 0) remove(over.map(({ row }) => row));
      } catch (error) {
        // This thread does not wait for another process. The next look follows.
        if (sqliteCode(error) !== SQLITE.BUSY) throw error;
      }
      await setImmediate();
    }
    for (let last: EntryBefore | undefined; ; await setImmediate()) {
      const step = history.page(last, STEP);
      if (step.length === 0) return;
      last = step.at(-1);
      yield step.flatMap(({ entry }) => (entry ? [entry] : []));
    }
  };
};
