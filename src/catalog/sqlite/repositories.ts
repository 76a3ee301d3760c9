import type { DatabaseSync } from 'node:sqlite';
import { rangeBelow, trimPrefix } from '../prefix.ts';
import type { StoreRepositories, Synchronous } from '../store.ts';
import type { StoredRepository } from '../stored-repository.ts';
import { makeGrownTable } from './grown-table.ts';
import { REPOSITORIES, toRepository, toRow } from './repository-rows.ts';

/** `repositories`: what was imported below which prefix. */
export interface Repositories extends Synchronous<StoreRepositories> {
  /** Removes those at or below a prefix; with an importer, only its own. */
  removeBelow(prefix: string, importerId?: string): void;
}

export const makeRepositories = (database: DatabaseSync, immutable = false): Repositories => {
  makeGrownTable(database, REPOSITORIES, immutable);
  const columns = Object.keys({ ...REPOSITORIES.first, ...REPOSITORIES.added });
  const all = database.prepare('SELECT * FROM repositories ORDER BY prefix, importer_id');
  const one = database.prepare('SELECT * FROM repositories WHERE prefix = ? AND importer_id = ?');
  const base = database.prepare('SELECT base FROM repositories WHERE prefix = ? AND importer_id = ?');
  const following = database.prepare('SELECT * FROM repositories WHERE follows = 1 ORDER BY length(prefix) DESC');
  const version = database.prepare('PRAGMA data_version');
  const save = database.prepare(
    `INSERT OR REPLACE INTO repositories (${columns}) VALUES (${columns.map((name) => `:${name}`)})`,
  );
  const confirmed = database.prepare(
    `UPDATE repositories SET succeeded = :at, attempted = :at, problem = NULL, next_try = NULL, root_states = :states
     WHERE prefix = :prefix AND importer_id = :importerId`,
  );
  const failed = database.prepare(
    `UPDATE repositories SET attempted = ?, problem = ?, next_try = ifnull(?, next_try)
     WHERE prefix = ? AND importer_id = ?`,
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
    baseOf: ({ prefix, importerId }) => base.get(trimPrefix(prefix), importerId)?.base?.toString(),
    save: (repository) => changed(() => save.run(toRow(repository))),
    confirmed: ({ prefix, importerId }, at, { states }) =>
      changed(() => confirmed.run({ at, states: JSON.stringify(states), prefix: trimPrefix(prefix), importerId })),
    failed: ({ prefix, importerId }, attempted, problem, nextTry) =>
      changed(() => failed.run(attempted, problem, nextTry ?? null, trimPrefix(prefix), importerId)),
    removeBelow: (prefix, importerId) => {
      const [from, before] = rangeBelow(prefix);
      changed(() => remove.run({ prefix: trimPrefix(prefix), from, before, importer: importerId ?? null }));
    },
  };
};
