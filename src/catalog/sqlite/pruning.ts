import type { DatabaseSync } from 'node:sqlite';
import type { Keeping } from '../history.ts';
import type { RepositoryKey } from '../stored-repository.ts';

/** Removes what is to be kept no longer: of one repository. */
export interface Pruning {
  /** All of it, within a transaction. */
  prune(key: RepositoryKey, keeping: Keeping): void;
  /** Only the revisions: nobody can ask for them from then on. Returns whether there were any. */
  drop(key: RepositoryKey, keeping: Keeping): boolean;
  /**
   * What was noted for revisions that are gone: of some paths after one. Returns the last of these, or
   * `undefined` if no more follow.
   */
  sweep(key: RepositoryKey, after: string): string | undefined;
}

/** Rows that one sweep looks at: some milliseconds, in which nothing else runs. */
const STEP = 500;

/**
 * A revision is kept while it is the present one, has a label, or was superseded lately. Of several
 * changes between two kept revisions the first one tells what the earlier of the two had.
 */
export const makePruning = (database: DatabaseSync): Pruning => {
  const of = 'prefix = :prefix AND importer_id = :importerId';
  const drop = database.prepare(
    `DELETE FROM revisions WHERE ${of} AND superseded <= :over AND NOT EXISTS (
       SELECT 1 FROM labels l WHERE l.prefix = revisions.prefix AND l.importer_id = revisions.importer_id
       AND l.revision = revisions.revision)`,
  );
  const left = database.prepare(`SELECT revision FROM revisions WHERE ${of} ORDER BY revision`);
  const dropUntil = database.prepare(`DELETE FROM entries_before WHERE ${of} AND until <= :revision`);
  const dropAll = database.prepare(`DELETE FROM entries_before WHERE ${of}`);
  const join = database.prepare(
    `DELETE FROM entries_before WHERE ${of} AND until > :from + 1 AND until <= :to AND EXISTS (
       SELECT 1 FROM entries_before e WHERE e.prefix = entries_before.prefix AND e.importer_id = entries_before.importer_id
       AND e.path = entries_before.path AND e.until > :from AND e.until < entries_before.until)`,
  );
  const next = database.prepare(
    `SELECT path FROM entries_before WHERE ${of} AND path > :after ORDER BY path LIMIT 1 OFFSET ${STEP}`,
  );
  // A change is needed by a kept revision before it that is not before the previous change of its path.
  const sweep = database.prepare(
    `DELETE FROM entries_before AS b WHERE ${of} AND path > :after AND (path <= :end OR :end IS NULL) AND NOT EXISTS (
       SELECT 1 FROM revisions r WHERE r.prefix = b.prefix AND r.importer_id = b.importer_id AND r.revision < b.until
       AND r.revision >= ifnull((SELECT max(e.until) FROM entries_before e WHERE e.prefix = b.prefix
         AND e.importer_id = b.importer_id AND e.path = b.path AND e.until < b.until), 0))`,
  );
  const dropOver = ({ prefix, importerId }: RepositoryKey, { now, seconds }: Keeping): boolean =>
    drop.run({ prefix, importerId, over: now - seconds }).changes > 0;
  const prune: Pruning['prune'] = ({ prefix, importerId }, keeping) => {
    const key = { prefix, importerId };
    if (!dropOver(key, keeping)) return;
    const kept = left.all(key).map(({ revision }) => Number(revision));
    const [oldest] = kept;
    if (oldest === undefined || kept.length === 1) dropAll.run(key);
    else dropUntil.run({ ...key, revision: oldest });
    for (const [at, to] of kept.entries()) {
      const from = kept[at - 1];
      if (from !== undefined && to > from + 1) join.run({ ...key, from, to });
    }
  };
  return {
    prune,
    drop: dropOver,
    sweep: ({ prefix, importerId }, after) => {
      const place = { prefix, importerId, after };
      const end = next.get(place)?.path;
      sweep.run({ ...place, end: end === undefined ? null : String(end) });
      return end === undefined ? undefined : String(end);
    },
  };
};
