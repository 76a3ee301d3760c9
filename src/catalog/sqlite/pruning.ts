import type { DatabaseSync } from 'node:sqlite';
import type { Keeping } from '../history.ts';
import type { RepositoryKey } from '../stored-repository.ts';

/** Removes what is to be kept no longer: of one repository, within a transaction. */
export type Prune = (key: RepositoryKey, keeping: Keeping) => void;

/**
 * A revision is kept while it is the present one, has a label, or was superseded lately. Of several
 * changes between two kept revisions the first one tells what the earlier of the two had.
 */
export const makePruning = (database: DatabaseSync): Prune => {
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
  return ({ prefix, importerId }, { now, seconds }) => {
    const key = { prefix, importerId };
    if (drop.run({ ...key, over: now - seconds }).changes === 0) return;
    const kept = left.all(key).map(({ revision }) => Number(revision));
    const [oldest] = kept;
    if (oldest === undefined || kept.length === 1) dropAll.run(key);
    else dropUntil.run({ ...key, revision: oldest });
    for (const [at, to] of kept.entries()) {
      const from = kept[at - 1];
      if (from !== undefined && to > from + 1) join.run({ ...key, from, to });
    }
  };
};
