import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { SQLITE, sqliteCode } from '../../lib/sqlite-errors.ts';
import { METADATA } from '../../repositories/format.ts';
import { mergedChildren } from '../children.ts';
import { type Keeping, type KeptRevision, type Label, notKept, type StoreHistory } from '../history.ts';
import { rangeBelow, trimPrefix } from '../prefix.ts';
import type { Synchronous } from '../store.ts';
import type { StoredEntry } from '../stored-entry.ts';
import type { RepositoryKey } from '../stored-repository.ts';
import { childrenAmong } from './child-rows.ts';
import { makeHistoryTables } from './history-tables.ts';
import { makePruning } from './pruning.ts';
import { COLUMNS, type EntryRow, GONE_SINCE, toEntry } from './rows.ts';
import { transact } from './schema.ts';

/** `revisions`, `labels`, `entries_before`: the earlier revisions of repositories. */
export interface History extends Synchronous<Omit<StoreHistory, 'prune'>> {
  /** In steps, between which others run. Resolves once all is gone, or another process writes. */
  prune(keeping: Keeping): Promise<void>;
  /** Forgets those at or below a prefix; with an importer, only its own. */
  removeBelow(prefix: string, importerId?: string): void;
  /** Forgets what was at a path. */
  removeAt(path: string, importerId?: string): void;
  /** The checksums of all metadata: `ALGORITHM-VALUE`. */
  metadataChecksums(): string[];
  /** The entries of earlier revisions alone, at most `limit`, after one. */
  page(after: EntryBefore | undefined, limit: number): EntryBefore[];
}

export interface EntryBefore {
  readonly until: number;
  /** Absent: there was none. */
  readonly entry?: StoredEntry;
  readonly place: readonly [prefix: string, importerId: string, path: string, until: number];
}

const toRevision = (row: Record<string, unknown>): KeptRevision => ({
  prefix: String(row.prefix),
  importerId: String(row.importer_id),
  revision: Number(row.revision),
  published: Number(row.published),
  ...(row.superseded !== null && { superseded: Number(row.superseded) }),
  packages: Number(row.packages),
  metadata: Number(row.metadata),
});

const toLabel = (row: Record<string, unknown>): Label => ({
  prefix: String(row.prefix),
  importerId: String(row.importer_id),
  name: String(row.name),
  revision: Number(row.revision),
  moved: Number(row.moved),
});

export const makeHistory = (database: DatabaseSync, immutable = false): History => {
  makeHistoryTables(database, immutable);
  const pruning = makePruning(database);
  // With a condition of its own: only then does a request for one prefix use the index.
  const ofOneAndAll = (table: string, order: string) => ({
    one: database.prepare(`SELECT * FROM ${table} WHERE prefix = ? ORDER BY ${order}`),
    all: database.prepare(`SELECT * FROM ${table} ORDER BY prefix, ${order}`),
  });
  const revisions = ofOneAndAll('revisions', 'published, revision');
  const labels = ofOneAndAll('labels', 'name, importer_id');
  const rowsOf = ({ one, all }: typeof revisions, prefix: string | undefined) =>
    prefix === undefined ? all.all() : one.all(trimPrefix(prefix));
  const one = database.prepare('SELECT 1 FROM revisions WHERE prefix = ? AND importer_id = ? AND revision = ?');
  const insertLabel = database.prepare(
    'INSERT INTO labels (prefix, name, importer_id, revision, moved) VALUES (?, ?, ?, ?, ?)',
  );
  const dropLabel = database.prepare('DELETE FROM labels WHERE prefix = ? AND name = ?');
  const before = database.prepare(
    `SELECT ${COLUMNS} FROM entries_before
     WHERE prefix = ? AND importer_id = ? AND path = ? AND until > ? ORDER BY until LIMIT 1`,
  );
  const now = database.prepare(
    `SELECT ${COLUMNS} FROM lazy_content_catalog
     WHERE path = ? AND importer_id = ? AND prefix = ? AND ${GONE_SINCE} IS NULL
     ORDER BY id DESC LIMIT 1`,
  );
  const mine = 'e.prefix = :prefix AND e.importer_id = :importerId AND e.path >= :from AND e.path < :before';
  const earlier = `SELECT 1 FROM entries_before b WHERE b.prefix = e.prefix AND b.importer_id = e.importer_id
    AND b.path = e.path AND b.until > :revision`;
  const listed = database.prepare(
    `SELECT ${COLUMNS} FROM lazy_content_catalog e WHERE ${mine} AND ${GONE_SINCE} IS NULL AND NOT EXISTS (${earlier})
     UNION ALL
     SELECT ${COLUMNS} FROM entries_before e WHERE ${mine} AND e.until > :revision AND e.unit_id IS NOT NULL
       AND NOT EXISTS (${earlier} AND b.until < e.until)
     ORDER BY path`,
  );
  const due = database.prepare(
    `SELECT DISTINCT prefix, importer_id FROM revisions r WHERE superseded <= ? AND NOT EXISTS (
       SELECT 1 FROM labels l WHERE l.prefix = r.prefix AND l.importer_id = r.importer_id AND l.revision = r.revision)`,
  );
  const prefixes = database.prepare('SELECT prefix FROM repositories UNION SELECT prefix FROM revisions');
  const version = database.prepare('PRAGMA data_version');
  const metadata = database.prepare(
    `SELECT DISTINCT checksum_algorithm AS algorithm, checksum AS value FROM entries_before WHERE unit_type_id = ?`,
  );
  const page = database.prepare(
    `SELECT until, ${COLUMNS} FROM entries_before WHERE (prefix, importer_id, path, until) > (?, ?, ?, ?)
     ORDER BY prefix, importer_id, path, until LIMIT ?`,
  );
  const below =
    '(prefix = :prefix OR (prefix >= :from AND prefix < :before)) AND importer_id = ifnull(:importer, importer_id)';
  const removals = ['revisions', 'labels', 'entries_before'].map((table) =>
    database.prepare(`DELETE FROM ${table} WHERE ${below}`),
  );
  const removeAt = database.prepare(
    'DELETE FROM entries_before WHERE path = :path AND importer_id = ifnull(:importer, importer_id)',
  );
  const atOnce = <T>(read: () => T): T => {
    if (database.isTransaction) return read();
    database.exec('BEGIN');
    try {
      return read();
    } finally {
      database.exec('COMMIT');
    }
  };
  /** Of which a part remains, after a path, since another process wrote. */
  const unswept = new Map<string, { readonly key: RepositoryKey; readonly after: string }>();
  let known: { readonly version: number; readonly prefixes: ReadonlySet<string> } | undefined;

  const placeOf = (row: Record<string, unknown>): EntryBefore['place'] => [
    String(row.prefix),
    String(row.importer_id),
    String(row.path),
    Number(row.until),
  ];

  return {
    isPrefix: (prefix) => {
      const at = Number(version.get()?.data_version);
      // What this connection has changed itself does not count: a command answers no requests.
      if (known?.version !== at)
        known = { version: at, prefixes: new Set(prefixes.all().map((row) => String(row.prefix))) };
      return known.prefixes.has(prefix);
    },
    revisions: (prefix) => rowsOf(revisions, prefix).map(toRevision),
    labels: (prefix) => rowsOf(labels, prefix).map(toLabel),
    label: (prefix, name, named, moved) =>
      transact(database, () => {
        const own = trimPrefix(prefix);
        for (const { importerId, revision } of named)
          if (!one.get(own, importerId, revision)) throw notKept({ prefix: own, importerId, revision });
        dropLabel.run(own, name);
        for (const { importerId, revision } of named) insertLabel.run(own, name, importerId, revision, moved);
      }),
    unlabel: (prefix, name) => dropLabel.run(trimPrefix(prefix), name).changes > 0,
    find: (path, { prefix, importerId, revision }) => {
      const own = trimPrefix(prefix);
      // As of one moment: another process may publish, or drop the revision, between two queries.
      const row = atOnce(
        () =>
          one.get(own, importerId, revision) &&
          (before.get(own, importerId, path, revision) ?? now.get(path, importerId, own)),
      );
      return row && row.unit_id !== null ? toEntry(row as unknown as EntryRow) : undefined;
    },
    children: (folder, as, after, limit) => {
      const all = as.map(({ prefix, importerId, revision }) => {
        const key = { prefix: trimPrefix(prefix), importerId, revision };
        const read = function* (from: string, end: string): Generator<StoredEntry> {
          for (const row of listed.iterate({ ...key, from, before: end })) yield toEntry(row as unknown as EntryRow);
        };
        return childrenAmong(read, folder, after, limit);
      });
      return mergedChildren(all, limit);
    },
    prune: async ({ now, seconds }) => {
      try {
        for (const { prefix, importer_id: importerId } of due.all(now - seconds)) {
          const key = { prefix: String(prefix), importerId: String(importerId) };
          if (pruning.drop(key, { now, seconds })) unswept.set(JSON.stringify(key), { key, after: '' });
        }
        for (const [name, { key, after }] of unswept) {
          for (let last: string | undefined = after; last !== undefined; await setImmediate()) {
            last = pruning.sweep(key, last);
            unswept.set(name, { key, after: last ?? '' });
          }
          unswept.delete(name);
        }
      } catch (error) {
        // A thread that serves does not wait for another process. The next look follows.
        if (sqliteCode(error) !== SQLITE.BUSY) throw error;
      }
    },
    removeBelow: (prefix, importerId) => {
      const [from, end] = rangeBelow(prefix);
      for (const remove of removals)
        remove.run({ prefix: trimPrefix(prefix), from, before: end, importer: importerId ?? null });
      known = undefined;
    },
    removeAt: (path, importerId) => void removeAt.run({ path, importer: importerId ?? null }),
    metadataChecksums: () => metadata.all(METADATA).map(({ algorithm, value }) => `${algorithm}-${value}`),
    page: (after, limit) =>
      page.all(...(after?.place ?? ['', '', '', 0]), limit).map((row) => ({
        until: Number(row.until),
        place: placeOf(row),
        ...(row.unit_id !== null && { entry: toEntry(row as unknown as EntryRow) }),
      })),
  };
};
