import type { DatabaseSync } from 'node:sqlite';
import type { Selection } from '../../repositories/format.ts';
import { makeGrownTable } from './grown-table.ts';
import { rangeBelow, trimPrefix } from './prefix.ts';
import { REPOSITORIES, toRepository, toRow } from './repository-rows.ts';

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
  /**
   * Whether it is compared with its feed when clients ask for it: then it is in the catalog before
   * the first import, with `succeeded` 0.
   */
  readonly follows?: boolean;
  /** Whether its metadata lists all that clients can know of. */
  readonly complete?: boolean;
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
  /** Those that are followed, the longest prefix first. Read anew only after a change. */
  followed(): readonly StoredRepository[];
  find(key: RepositoryKey): StoredRepository | undefined;
  /** Adds or replaces a repository. */
  save(repository: StoredRepository): void;
  /** Records that the feed still has the last revision. Without effect for an unknown repository. */
  confirmed(key: RepositoryKey, at: number): void;
  /** Records a try that failed. Without effect for an unknown repository. */
  failed(key: RepositoryKey, attempted: number, problem: string): void;
  /** Removes those at or below a prefix; with an importer, only its own. */
  removeBelow(prefix: string, importerId?: string): void;
}

export const makeRepositories = (database: DatabaseSync, immutable = false): Repositories => {
  makeGrownTable(database, REPOSITORIES, immutable);
  const columns = Object.keys({ ...REPOSITORIES.first, ...REPOSITORIES.added });
  const all = database.prepare('SELECT * FROM repositories ORDER BY prefix, importer_id');
  const one = database.prepare('SELECT * FROM repositories WHERE prefix = ? AND importer_id = ?');
  const following = database.prepare('SELECT * FROM repositories WHERE follows = 1 ORDER BY length(prefix) DESC');
  const version = database.prepare('PRAGMA data_version');
  const save = database.prepare(
    `INSERT OR REPLACE INTO repositories (${columns}) VALUES (${columns.map((name) => `:${name}`)})`,
  );
  const confirmed = database.prepare(
    'UPDATE repositories SET succeeded = :at, attempted = :at, problem = NULL WHERE prefix = :prefix AND importer_id = :importerId',
  );
  const failed = database.prepare(
    'UPDATE repositories SET attempted = ?, problem = ? WHERE prefix = ? AND importer_id = ?',
  );
  const remove = database.prepare(
    `DELETE FROM repositories
     WHERE (prefix = :prefix OR (prefix >= :from AND prefix < :before)) AND importer_id = ifnull(:importer, importer_id)`,
  );
  /** The followed ones, as of a version of the file, which changes of this connection leave as it is. */
  let known: { readonly version: number; readonly followed: readonly StoredRepository[] } | undefined;
  const changed = (change: () => unknown): void => {
    change();
    known = undefined;
  };
  return {
    list: () => all.all().map(toRepository),
    followed: () => {
      const now = Number(version.get()?.data_version);
      if (known?.version !== now) known = { version: now, followed: following.all().map(toRepository) };
      return known.followed;
    },
    find: ({ prefix, importerId }) => {
      const row = one.get(trimPrefix(prefix), importerId);
      return row && toRepository(row);
    },
    save: (repository) => changed(() => save.run(toRow(repository))),
    confirmed: ({ prefix, importerId }, at) =>
      changed(() => confirmed.run({ at, prefix: trimPrefix(prefix), importerId })),
    failed: ({ prefix, importerId }, attempted, problem) =>
      changed(() => failed.run(attempted, problem, trimPrefix(prefix), importerId)),
    removeBelow: (prefix, importerId) => {
      const [from, before] = rangeBelow(prefix);
      changed(() => remove.run({ prefix: trimPrefix(prefix), from, before, importer: importerId ?? null }));
    },
  };
};
