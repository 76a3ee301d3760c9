import type { DatabaseSync } from 'node:sqlite';

/**
 * SQL: whether two rows of a path, given by their aliases, may describe different content. Without
 * a checksum this is unknown: the URL may now have other content of the same size, and mirrors copy
 * the date. Checksums of different algorithms differ in length.
 */
export const differs = (a: string, b: string): string =>
  `(${a}.checksum IS NULL OR ${a}.checksum IS NOT ${b}.checksum)`;

/** The few paths of staged entries that have, or had, other content, in a temporary table. */
export interface Replaced {
  /** Gathers the paths. Call it before any entry of the catalog is removed. */
  gather(): void;
  /** SQL: whether a staged entry's path is among them. */
  readonly isReplaced: string;
  /** Marks the catalog's other entries at these paths: one may become the newest again later. */
  mark(): void;
  drop(): void;
}

export const makeReplaced = (database: DatabaseSync, staging: string, indexByPath: string): Replaced => {
  const table = `replaced_in_${staging}`;
  /**
   * Reads the staged entries by path, the order of the catalog's index. For most of them the index
   * alone shows that the content is unchanged.
   */
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
