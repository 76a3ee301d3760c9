import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { rangeBelow } from '../prefix.ts';
import type { StoredEntry } from '../stored-entry.ts';
import { COLUMNS, type EntryRow, toEntry } from './rows.ts';

/** Rows that are read in one step, in which nothing else runs: about a millisecond. */
const STEP = 200;

/**
 * The entries below a prefix in the order of paths, in steps between which entries may come and go:
 * an open query would keep this connection from writing. All entries of a path come in one step.
 */
export const makePages = (database: DatabaseSync) => {
  const page = database.prepare(
    `SELECT ${COLUMNS} FROM lazy_content_catalog WHERE path > ? AND path < ? ORDER BY path LIMIT ${STEP}`,
  );
  const at = database.prepare(`SELECT ${COLUMNS} FROM lazy_content_catalog WHERE path = ?`);

  return async function* (prefix: string): AsyncGenerator<readonly StoredEntry[]> {
    const [folder, before] = rangeBelow(prefix);
    let from = folder;
    for (;;) {
      const rows = page.all(from, before) as unknown as readonly EntryRow[];
      const last = rows.at(-1)?.path;
      if (last === undefined) return;
      // The step may have ended among the entries of a path.
      const ofLast = at.all(last) as unknown as readonly EntryRow[];
      yield [...rows.filter(({ path }) => path !== last), ...ofLast].map(toEntry);
      if (rows.length < STEP) return;
      from = last;
      await setImmediate();
    }
  };
};
