import type { DatabaseSync } from 'node:sqlite';
import type { Keeping } from '../history.ts';
import type { RepositoryKey, StoredRepository } from '../stored-repository.ts';
import { makePruning } from './pruning.ts';
import { COLUMNS, GONE_SINCE } from './rows.ts';

/** Records what a revision changes, within the transaction that publishes it. */
export interface Recording {
  /** The number of a new revision, which no kept one has. `newest`: the newest of the entries. */
  next(key: RepositoryKey, newest: number): number;
  /** Call it before any entry of the catalog is removed. `place`: SQL for the entries of the last revision. */
  before(key: RepositoryKey, revision: number, place: string): void;
  after(key: RepositoryKey, revision: number, counts: Pick<StoredRepository, 'packages' | 'metadata'>): void;
}

/** Without these, a row of `entries_before` says that its path was not there. */
const NAMES = COLUMNS.split(', ').filter((name) => !['path', 'importer_id', 'prefix'].includes(name));

/**
 * @param table the staged entries; `place` and the statements share the parameters `:from`, `:before`,
 * `:importerId` and `:own`
 */
export const makeRecording = (
  database: DatabaseSync,
  table: string,
  keeping: Keeping,
  range: { readonly from: string; readonly before: string },
): Recording => {
  const { prune } = makePruning(database);
  const ofKey = 'prefix = :own AND importer_id = :importerId';
  const own = ({ prefix, importerId }: RepositoryKey) => ({ own: prefix, importerId });

  const isWanted = (key: RepositoryKey): boolean =>
    keeping.seconds > 0 || database.prepare(`SELECT 1 FROM labels WHERE ${ofKey} LIMIT 1`).get(own(key)) !== undefined;

  /**
   * Whether the last revision is the one that is noted. Otherwise an earlier version of this program
   * has published it, or has removed the repository, and nothing tells what it changed. All entries of
   * a revision have its number.
   */
  const isNoted = (key: RepositoryKey, place: string): boolean => {
    const noted = database
      .prepare(`SELECT revision, packages + metadata AS files FROM revisions WHERE ${ofKey} AND superseded IS NULL`)
      .get(own(key));
    if (!noted) return false;
    const { newest } = database
      .prepare(`SELECT max(revision) AS newest FROM lazy_content_catalog WHERE ${place} AND ${GONE_SINCE} IS NULL`)
      .get({ ...own(key), ...range }) as { readonly newest: number | null };
    return newest === null ? noted.files === 0 : newest === noted.revision;
  };
  const forget = (key: RepositoryKey): void => {
    for (const name of ['revisions', 'labels', 'entries_before'])
      database.prepare(`DELETE FROM ${name} WHERE ${ofKey}`).run(own(key));
  };

  const insert = database.prepare(
    `INSERT INTO revisions (prefix, importer_id, revision, published, packages, metadata)
     VALUES (:own, :importerId, :revision, :published, :packages, :metadata)`,
  );

  return {
    next: (key, newest) => {
      const kept = database.prepare(`SELECT max(revision) AS revision FROM revisions WHERE ${ofKey}`).get(own(key));
      return Math.max(newest, Number(kept?.revision ?? 0)) + 1;
    },
    before: (key, revision, place) => {
      // Without a note of what it changes, those before it cannot be told.
      if (!isWanted(key) || !isNoted(key, place)) {
        forget(key);
        return;
      }
      const parameters = { ...own(key), ...range, revision };
      // Of repeated entries, the first one counts.
      database
        .prepare(
          `INSERT INTO entries_before (prefix, importer_id, path, until, ${NAMES})
           SELECT :own, :importerId, path, :revision, ${NAMES} FROM lazy_content_catalog e
           WHERE ${place} AND ${GONE_SINCE} IS NULL AND NOT EXISTS (
             SELECT 1 FROM ${table} s WHERE s.path = e.path AND s.importer_id = e.importer_id
             AND s.id = (SELECT min(id) FROM ${table} f WHERE f.path = e.path AND f.importer_id = e.importer_id)
             AND s.checksum IS e.checksum AND s.checksum_algorithm IS e.checksum_algorithm
             AND s.size IS e.size AND s.url = e.url AND s.unit_id = e.unit_id)
           ON CONFLICT DO NOTHING`,
        )
        .run(parameters);
      database
        .prepare(
          `INSERT INTO entries_before (prefix, importer_id, path, until)
           SELECT DISTINCT :own, :importerId, s.path, :revision FROM ${table} s
           WHERE s.path >= :from AND s.path < :before AND NOT EXISTS (
             SELECT 1 FROM lazy_content_catalog e WHERE e.path = s.path AND e.importer_id = :importerId
             AND e.prefix = :own AND ${GONE_SINCE} IS NULL)
           ON CONFLICT DO NOTHING`,
        )
        .run(parameters);
    },
    after: (key, revision, { packages, metadata }) => {
      const { now } = keeping;
      database
        .prepare(`UPDATE revisions SET superseded = :now WHERE ${ofKey} AND superseded IS NULL`)
        .run({ ...own(key), now });
      insert.run({ ...own(key), revision, published: now, packages, metadata });
      prune(key, keeping);
    },
  };
};
