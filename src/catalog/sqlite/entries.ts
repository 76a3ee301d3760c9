import type { DatabaseSync } from 'node:sqlite';
import { METADATA } from '../../repositories/format.ts';
import { keyText } from '../../repositories/unit.ts';
import { rangeBelow, trimPrefix } from '../prefix.ts';
import type { Staging } from '../publication.ts';
import type { StoreEntries, Synchronous } from '../store.ts';
import type { StoredEntry } from '../stored-entry.ts';
import { childrenAmong } from './child-rows.ts';
import type { History } from './history.ts';
import { makePages } from './pages.ts';
import { differs } from './replaced.ts';
import type { Repositories } from './repositories.ts';
import { COLUMNS, type EntryRow, GONE_SINCE, toEntry, toValues } from './rows.ts';
import { transact } from './schema.ts';
import { makeStaging } from './staging.ts';
import { makeTidied } from './tidied.ts';
import { dropOrphans } from './units.ts';

/** `lazy_content_catalog`: the entries of each path. */
export interface Entries
  extends Omit<Synchronous<StoreEntries>, 'stage' | 'tidied' | 'pages'>,
    Pick<StoreEntries, 'tidied' | 'pages'> {
  stage(): Synchronous<Staging>;
}

const SINGLE = `SELECT ${COLUMNS} FROM lazy_content_catalog e WHERE prefix IS NULL OR NOT EXISTS (
  SELECT 1 FROM repositories r WHERE r.prefix = e.prefix AND r.importer_id = e.importer_id) ORDER BY path, id DESC`;

export const makeEntries = (database: DatabaseSync, repositories: Repositories, history: History): Entries => {
  const byPath = database.prepare(`SELECT id, ${COLUMNS} FROM lazy_content_catalog WHERE path = ?`);
  const below = database.prepare(
    `SELECT ${COLUMNS} FROM lazy_content_catalog WHERE path >= ? AND path < ? ORDER BY path, id DESC`,
  );
  const newest = database.prepare(
    'SELECT max(revision) AS revision FROM lazy_content_catalog WHERE path = ? AND importer_id = ?',
  );
  const insert = database.prepare(
    `INSERT INTO lazy_content_catalog (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertUnit = database.prepare(
    'INSERT INTO units (id, type_id, unit_key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const markReplaced = database.prepare(
    `UPDATE lazy_content_catalog SET replaced = 1 WHERE path = :path AND EXISTS (
       SELECT 1 FROM lazy_content_catalog a JOIN lazy_content_catalog b ON b.path = a.path
       WHERE a.path = :path AND (a.replaced OR (b.id <> a.id AND ${differs('a', 'b')})))`,
  );
  const removeOlder = database.prepare(
    'DELETE FROM lazy_content_catalog WHERE path = ? AND importer_id = ? AND revision < ?',
  );
  const removeAt = database.prepare(
    'DELETE FROM lazy_content_catalog WHERE path = :path AND importer_id = ifnull(:importer, importer_id)',
  );
  const removeRange = database.prepare(
    // Imports may have entries beside their prefix.
    `DELETE FROM lazy_content_catalog
     WHERE (path >= :from AND path < :before OR prefix || '/' >= :from AND prefix || '/' < :before)
     AND importer_id = ifnull(:importer, importer_id)`,
  );
  const importers = database.prepare(
    'SELECT DISTINCT importer_id FROM lazy_content_catalog WHERE path >= ? AND path < ? ORDER BY importer_id',
  );
  const counts = database.prepare(
    'SELECT importer_id, count(*) AS count FROM lazy_content_catalog GROUP BY importer_id',
  );

  const countOf = database.prepare(
    `SELECT count(*) AS count FROM lazy_content_catalog WHERE importer_id = ? AND prefix = ? AND ${GONE_SINCE} IS NULL`,
  );
  const hasPackage = database.prepare(
    `SELECT 1 FROM lazy_content_catalog
     WHERE path >= ? AND path < ? AND importer_id = ? AND prefix = ? AND unit_type_id <> '${METADATA}' LIMIT 1`,
  );
  const metadata = database.prepare(
    'SELECT DISTINCT checksum_algorithm AS algorithm, checksum AS value FROM lazy_content_catalog WHERE unit_type_id = ?',
  );
  const revision = database.prepare(
    'SELECT max(revision) AS revision FROM lazy_content_catalog WHERE path >= ? AND path < ? AND importer_id = ?',
  );

  const sweeping = (remove: () => number | bigint): number =>
    transact(database, () => {
      const removed = Number(remove());
      dropOrphans(database);
      return removed;
    });

  function* readBelow(from: string, before: string): Generator<StoredEntry> {
    for (const row of below.iterate(from, before)) yield toEntry(row as unknown as EntryRow);
  }

  return {
    find: (path) => {
      const rows = byPath.all(path);
      // Sorted here: SQLite would set up a sort for each single row.
      if (rows.length > 1) rows.sort((a, b) => Number(b.id) - Number(a.id));
      return rows.map((row) => toEntry(row as unknown as EntryRow));
    },

    list: function* (prefix, inOrder = 'path') {
      // A separate statement: two iterations of one prepared statement would disturb each other.
      const rows = database
        .prepare(
          `SELECT ${COLUMNS} FROM lazy_content_catalog WHERE path >= ? AND path < ?
           ORDER BY ${inOrder === 'path' ? 'path, id DESC' : 'id'}`,
        )
        .iterate(...rangeBelow(prefix));
      for (const row of rows) yield toEntry(row as unknown as EntryRow);
    },

    children: (folder, after, limit) => childrenAmong(readBelow, folder, after, limit),
    pages: makePages(database),

    listSingle: function* () {
      for (const row of database.prepare(SINGLE).iterate()) yield toEntry(row as unknown as EntryRow);
    },

    countOf: (prefix, importerId) => Number(countOf.get(importerId, trimPrefix(prefix))?.count),

    hasPackageBelow: (folder, { prefix, importerId }) =>
      hasPackage.get(...rangeBelow(folder), importerId, trimPrefix(prefix)) !== undefined,

    metadataChecksums: () => [
      ...metadata.all(METADATA).map(({ algorithm, value }) => `${algorithm}-${value}`),
      ...history.metadataChecksums(),
    ],

    revisionBelow: (prefix, importerId) => Number(revision.get(...rangeBelow(prefix), importerId)?.revision ?? 0),

    add: ({ unitKey, ...entry }) =>
      transact(database, () => {
        const before = newest.get(entry.path, entry.importerId)?.revision;
        const stored = { ...entry, revision: Number(before ?? 0) + 1 };
        insert.run(...toValues(stored));
        const replaced = markReplaced.run({ path: entry.path }).changes > 0;
        removeOlder.run(entry.path, entry.importerId, stored.revision);
        if (unitKey) insertUnit.run(entry.unitId, entry.unitTypeId, keyText(unitKey));
        dropOrphans(database);
        return replaced ? { ...stored, replaced } : stored;
      }),

    remove: (path, importer) =>
      sweeping(() => {
        history.removeAt(path, importer);
        return removeAt.run({ path, importer: importer ?? null }).changes;
      }),

    removeBelow: (prefix, importer) => {
      const [from, before] = rangeBelow(prefix);
      return sweeping(() => {
        repositories.removeBelow(prefix, importer);
        history.removeBelow(prefix, importer);
        return removeRange.run({ from, before, importer: importer ?? null }).changes;
      });
    },

    importersBelow: (prefix) => importers.all(...rangeBelow(prefix)).map((row) => String(row.importer_id)),

    countByImporter: () => new Map(counts.all().map((row) => [String(row.importer_id), Number(row.count)])),

    tidied: makeTidied(database, history),

    stage: () => makeStaging(database, repositories),
  };
};
