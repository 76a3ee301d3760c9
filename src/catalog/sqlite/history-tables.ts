import type { DatabaseSync } from 'node:sqlite';
import { type GrownTable, makeGrownTable } from './grown-table.ts';
import { transact } from './schema.ts';

const OF_REPOSITORY = { prefix: 'TEXT NOT NULL', importer_id: 'TEXT NOT NULL' };

const REVISIONS: GrownTable = {
  name: 'revisions',
  first: {
    ...OF_REPOSITORY,
    revision: 'INTEGER NOT NULL',
    published: 'REAL NOT NULL',
    superseded: 'REAL',
    packages: 'INTEGER NOT NULL',
    metadata: 'INTEGER NOT NULL',
  },
  key: 'prefix, importer_id, revision',
  added: {},
};

const LABELS: GrownTable = {
  name: 'labels',
  first: { ...OF_REPOSITORY, name: 'TEXT NOT NULL', revision: 'INTEGER NOT NULL', moved: 'REAL NOT NULL' },
  key: 'prefix, name, importer_id',
  added: {},
};

/**
 * What a path was before a revision changed it: the entry that counted before the revision `until`, or
 * NULLs if the path was not there. What no later revision has changed is in `lazy_content_catalog`. So
 * revisions cost the space of what they change.
 */
const BEFORE: GrownTable = {
  name: 'entries_before',
  first: {
    ...OF_REPOSITORY,
    path: 'TEXT NOT NULL',
    until: 'INTEGER NOT NULL',
    unit_id: 'TEXT',
    unit_type_id: 'TEXT',
    url: 'TEXT',
    checksum: 'TEXT',
    checksum_algorithm: 'TEXT',
    size: 'INTEGER',
    revision: 'INTEGER',
    data: 'TEXT',
    replaced: 'INTEGER',
  },
  key: 'prefix, importer_id, path, until',
  added: {},
};

/** Present revisions that an earlier version of this program has published, as of their last confirmation. */
const NOTE = `
  INSERT INTO revisions (prefix, importer_id, revision, published, packages, metadata)
  SELECT prefix, importer_id, newest, succeeded, packages, metadata FROM (
    SELECT r.*, (SELECT max(revision) FROM lazy_content_catalog e
      WHERE e.path >= r.prefix || '/' AND e.path < r.prefix || '0'
      AND e.importer_id = r.importer_id AND e.prefix = r.prefix) AS newest
    FROM repositories r WHERE succeeded > 0) WHERE newest IS NOT NULL`;

/** Makes the tables, if they are not there. */
export const makeHistoryTables = (database: DatabaseSync, immutable: boolean): void => {
  const isNew = database.prepare("SELECT 1 FROM pragma_table_info('revisions')").get() === undefined;
  for (const table of [REVISIONS, LABELS, BEFORE]) makeGrownTable(database, table, immutable);
  if (immutable) return;
  // Each change of the catalog looks for units that nothing refers to.
  database.exec('CREATE INDEX IF NOT EXISTS units_before ON entries_before (unit_id)');
  if (isNew) transact(database, () => note(database));
};

/** Another process may have done it in between. */
const note = (database: DatabaseSync): void => {
  if (!database.prepare('SELECT 1 FROM revisions LIMIT 1').get()) database.exec(NOTE);
};
