import type { DatabaseSync } from 'node:sqlite';
import { unkept } from '../history.ts';
import { rangeBelow, trimPrefix } from '../prefix.ts';
import type { Grace, Staging } from '../publication.ts';
import type { Synchronous } from '../store.ts';
import { makeRecording } from './recording.ts';
import { makeReplaced } from './replaced.ts';
import type { Repositories } from './repositories.ts';
import { COLUMNS, GONE_SINCE } from './rows.ts';
import { transact } from './schema.ts';
import { makeStaged } from './staged.ts';
import { dropOrphans } from './units.ts';

const NAMES = COLUMNS.split(', ');
/**
 * A temporary table of this connection holds the entries until one transaction publishes them.
 */
export const makeStaging = (
  database: DatabaseSync,
  repositories: Pick<Repositories, 'find' | 'list' | 'save'>,
): Synchronous<Staging> => {
  const entries = makeStaged(database);
  const { table, byPath } = entries;
  const replaced = makeReplaced(database, table, byPath);

  const discard = (): void => {
    entries.drop();
    replaced.drop();
  };

  /** The SQL for a column of the staged entries. A column in `own` is a parameter. */
  const valueFor = (name: string, own: readonly string[] = []): string => {
    if (name === 'replaced') return `(replaced OR ${replaced.isReplaced})`;
    return own.includes(name) ? `:${name}` : name;
  };

  const publish = <T>(work: () => T): T => {
    entries.indexByPath();
    const result = transact(database, () => {
      // Sorted by id: a million insertions at random places take ten times as long.
      database.exec(`INSERT INTO units (id, type_id, unit_key)
        SELECT unit_id, unit_type_id, unit_key FROM ${table} WHERE unit_key IS NOT NULL ORDER BY unit_id ON CONFLICT DO NOTHING`);
      replaced.gather();
      const done = work();
      replaced.mark();
      dropOrphans(database);
      return done;
    });
    discard();
    return result;
  };

  /**
   * Removes entries of earlier revisions. Those whose path is not staged stay until their grace is
   * over, which counts from the first revision without them. Returns the number removed.
   */
  const supersede = (place: string, parameters: Record<string, string | number>, grace: Grace | undefined): number => {
    if (!grace)
      return Number(database.prepare(`DELETE FROM lazy_content_catalog WHERE ${place}`).run(parameters).changes);
    const { now, seconds } = grace;
    const { changes } = database
      .prepare(
        `DELETE FROM lazy_content_catalog WHERE ${place}
         AND (path IN (SELECT path FROM ${table}) OR ${GONE_SINCE} <= :over)`,
      )
      .run({ ...parameters, over: now - seconds });
    database
      .prepare(
        `UPDATE lazy_content_catalog SET data = json_set(data, '$.gone_since', :now)
         WHERE ${place} AND ${GONE_SINCE} IS NULL`,
      )
      .run({ ...parameters, now });
    return Number(changes);
  };

  return {
    write: entries.write,
    conflicts: entries.conflicts,

    yieldOutside: (importerId, prefix) => {
      const [from, before] = rangeBelow(prefix);
      return database
        .prepare(
          `DELETE FROM ${table} WHERE NOT (path >= ? AND path < ?) AND EXISTS (
             SELECT 1 FROM lazy_content_catalog other WHERE other.path = ${table}.path
             AND (other.importer_id <> ? OR other.prefix IS NOT ?)) RETURNING path`,
        )
        .all(from, before, importerId, trimPrefix(prefix))
        .map((row) => String(row.path));
    },

    publishRevision: (importerId, prefix, { permit, repository, grace, keeping = unkept() } = {}) => {
      const [from, before] = rangeBelow(prefix);
      const own = trimPrefix(prefix);
      // Read before the transaction, because no index finds them.
      const outside = database
        .prepare(
          'SELECT id FROM lazy_content_catalog WHERE importer_id = ? AND prefix = ? AND NOT (path >= ? AND path < ?)',
        )
        .all(importerId, own, from, before)
        .map(({ id }) => Number(id));
      return publish(() => {
        permit?.(repositories.list());
        const newest = database
          .prepare(
            'SELECT max(revision) AS revision FROM lazy_content_catalog WHERE path >= ? AND path < ? AND importer_id = ?',
          )
          .get(from, before, importerId)?.revision;
        const key = { prefix: own, importerId };
        const recording = makeRecording(database, table, keeping, { from, before });
        const revision = recording.next(key, Number(newest ?? 0));
        // Removed first, so that the new rows reuse the space. Readers see the change only at the
        // commit.
        const place = 'path >= :from AND path < :before AND importer_id = :importerId AND prefix = :own';
        recording.before(key, revision, place);
        const removed = supersede(place, { from, before, importerId, own }, grace);
        for (const id of outside) supersede('id = :id', { id }, grace);
        const values = NAMES.map((name) => valueFor(name, ['revision', 'prefix'])).join(', ');
        const added = database
          .prepare(`INSERT INTO lazy_content_catalog (${COLUMNS}) ${entries.first(values)}`)
          .run({ revision, prefix: own }).changes;
        const published = { revision, added: Number(added), removed: removed + outside.length };
        const saved = repository?.(published, repositories.find(key));
        if (saved) repositories.save(saved);
        recording.after(key, revision, saved ?? { packages: published.added, metadata: 0 });
        return published;
      });
    },

    publishAsIs: () =>
      publish(() =>
        Number(
          database
            .prepare(
              `INSERT INTO lazy_content_catalog (${COLUMNS}) ${entries.first(NAMES.map((name) => valueFor(name)).join(', '))} WHERE true ORDER BY id
               ON CONFLICT (path, importer_id, revision) DO UPDATE
               SET ${NAMES.map((name) => `${name} = excluded.${name}`).join(', ')}`,
            )
            .run().changes,
        ),
      ),

    discard,
  };
};
