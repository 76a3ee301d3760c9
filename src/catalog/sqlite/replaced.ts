import type { DatabaseSync } from 'node:sqlite';

/**
 * SQL: whether two rows of a path, by their aliases, are not known to describe the same content.
 * Without a checksum nothing tells: the content at a URL may be other content of the same size, and
 * mirrors give it the same date. Checksums of different kinds differ in length.
 */
export const differs = (a: string, b: string): string =>
  `(${a}.checksum IS NULL OR ${a}.checksum IS NOT ${b}.checksum)`;

/** The paths of staged entries that have, or had, other content: in a temporary table of their own, since they are few. */
export interface Replaced {
  /** Gathers the paths. To be done before any entry of the catalog is removed. */
  gather(): void;
  /** SQL: whether a staged entry's path is among them. */
  readonly isReplaced: string;
  /** Marks the entries of the catalog at these paths: the one that stays beside a new one may be the newest again one day. */
  mark(): void;
  drop(): void;
}

export const makeReplaced = (database: DatabaseSync, staging: string, indexByPath: string): Replaced => {
  const table = `replaced_in_${staging}`;
  /** Goes through the staged entries in the order of paths, as those of the catalog lie; the index alone tells of most that nothing changed. */
  const paths = (others: string, condition: string): string =>
    `INSERT OR IGNORE INTO ${table}
     SELECT staged.path FROM ${staging} staged INDEXED BY ${indexByPath} CROSS JOIN ${others} other ON other.path = staged.path
     WHERE ${condition}`;

  return {
    gather: () =>
      database.exec(`
        CREATE TEMP TABLE ${table} (path TEXT PRIMARY KEY) WITHOUT ROWID;
        ${paths('lazy_content_catalog', `other.replaced OR ${differs('other', 'staged')}`)};
        ${paths(staging, `other.id < staged.id AND ${differs('other', 'staged')}`)};`),
    isReplaced: `path IN (SELECT path FROM ${table})`,
    mark: () =>
      database.exec(
        `UPDATE lazy_content_catalog SET replaced = 1 WHERE path IN (SELECT path FROM ${table}) AND replaced = 0`,
      ),
    drop: () => database.exec(`DROP TABLE IF EXISTS temp.${table}`),
  };
};
