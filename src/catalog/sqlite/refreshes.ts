import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { UnitKey } from '../../repositories/unit.ts';
import { unitKeyIn } from '../json-column.ts';
import { locatorOf } from '../locator.ts';
import type { Cataloged, Offer, PathState, Refresh, RefreshState } from '../refresh-store.ts';
import type { Content } from './content.ts';
import { type GrownTable, makeGrownTable } from './grown-table.ts';
import { transact } from './schema.ts';

/**
 * Refreshes of alternate content sources: which are complete, which are running, and their owners.
 * Times are Unix seconds.
 */
export interface Refreshes {
  state(sourceId: string, now: number): RefreshState | undefined;
  /** The number of units that a source offers and that have not expired. */
  count(sourceId: string, now: number): number;
  /** The offers of units of a type whose key has all of the fields: oldest first, also expired. */
  search(typeId: string, fields: Readonly<Record<string, string>>): Offer[];
  /** All offers of one unit. Oldest first, including expired offers. */
  offers(typeId: string, unitKey: UnitKey): Offer[];
  /** Begins a refresh, to which offers added from now on belong. Removes those of a dead one. */
  begin(sourceId: string): Refresh;
  /**
   * Completes the refresh, and stores the state of the source. Returns `false` if another refresh
   * has begun since.
   */
  finish(refresh: Refresh, cataloged: Cataloged): boolean;
  /**
   * Ends a failed refresh: removes its offers and stores the state, unless a later refresh has
   * begun.
   */
  abandon(refresh: Refresh, cataloged?: Cataloged): void;
  /** Notes when the next try of a source follows whose refresh failed. */
  putOff(sourceId: string, nextTry: number): void;
  /** Takes or prolongs the lease on a source. Returns `false` if another holder has it. */
  acquire(sourceId: string, holder: string, now: number, until: number): boolean;
  release(sourceId: string, holder: string): void;
}

// Pulp has no such collections. It takes a source with any offer for fresh, even after an
// interrupted refresh.
const SOURCES: GrownTable = {
  name: 'content_sources',
  first: {
    source_id: 'TEXT',
    fingerprint: 'TEXT',
    mark: 'INTEGER',
    token: 'TEXT',
    holder: 'TEXT',
    leased_until: 'REAL NOT NULL DEFAULT 0',
  },
  key: 'source_id',
  added: { next_try: 'REAL' },
};
const PATHS = `
  CREATE TABLE IF NOT EXISTS content_source_paths (
    source_id TEXT,
    path TEXT,
    expiration INTEGER NOT NULL,
    problem TEXT,
    PRIMARY KEY (source_id, path)
  ) STRICT, WITHOUT ROWID`;

const COLUMNS = 'source_id, type_id, unit_key, url, expiration';

const toOffer = (row: Record<string, unknown>): Offer => ({
  sourceId: String(row.source_id),
  typeId: String(row.type_id),
  unitKey: unitKeyIn(String(row.unit_key), `the offer of ${row.url}`),
  url: String(row.url),
  expiration: Number(row.expiration),
});

const toPathState = ({ path, expiration, problem }: Record<string, unknown>): PathState => ({
  path: String(path),
  expiration: Number(expiration),
  ...(problem !== null && { problem: String(problem) }),
});

export const makeRefreshes = (database: DatabaseSync, content: Content, immutable = false): Refreshes => {
  makeGrownTable(database, SOURCES, immutable);
  database.exec(PATHS);
  const state = database.prepare(
    'SELECT fingerprint, next_try, leased_until >= ? AS leased FROM content_sources WHERE source_id = ?',
  );
  const paths = database.prepare('SELECT path, expiration, problem FROM content_source_paths WHERE source_id = ?');
  const forgetPaths = database.prepare('DELETE FROM content_source_paths WHERE source_id = ?');
  const notePath = database.prepare(
    'INSERT INTO content_source_paths (source_id, path, expiration, problem) VALUES (?, ?, ?, ?)',
  );
  const count = database.prepare(
    'SELECT count(*) AS count FROM content_catalog WHERE source_id = ? AND expiration >= ?',
  );
  const unfinished = database.prepare(
    'SELECT mark, token FROM content_sources WHERE source_id = ? AND token IS NOT NULL',
  );
  const begin = database.prepare(
    `INSERT INTO content_sources (source_id, mark, token) VALUES (:sourceId, :mark, :token)
     ON CONFLICT (source_id) DO UPDATE SET mark = excluded.mark, token = excluded.token`,
  );
  const end = database.prepare('UPDATE content_sources SET token = NULL WHERE source_id = ? AND token = ?');
  const noteFingerprint = database.prepare('UPDATE content_sources SET fingerprint = ? WHERE source_id = ?');
  const putOff = database.prepare('UPDATE content_sources SET next_try = ? WHERE source_id = ?');
  const byLocator = database.prepare(`SELECT ${COLUMNS} FROM content_catalog WHERE locator = ? ORDER BY id`);
  // One that ends minutes later than a new one would is from another time: the clock has been set back.
  const acquire = database.prepare(
    `INSERT INTO content_sources (source_id, holder, leased_until) VALUES (:id, :holder, :until)
     ON CONFLICT (source_id) DO UPDATE SET holder = excluded.holder, leased_until = excluded.leased_until
     WHERE leased_until < :now OR leased_until > :until + 120 OR holder = excluded.holder`,
  );
  const release = database.prepare('UPDATE content_sources SET leased_until = 0 WHERE source_id = ? AND holder = ?');

  const note = (sourceId: string, { fingerprint, paths }: Cataloged): void => {
    noteFingerprint.run(fingerprint, sourceId);
    forgetPaths.run(sourceId);
    for (const { path, expiration, problem } of paths) notePath.run(sourceId, path, expiration, problem ?? null);
  };

  const giveUp = ({ sourceId, mark, token }: Refresh, cataloged?: Cataloged): void =>
    transact(database, () => {
      if (end.run(sourceId, token).changes === 0) return;
      content.withdraw(sourceId, mark);
      if (cataloged) note(sourceId, cataloged);
    });

  return {
    state: (sourceId, now) => {
      const row = state.get(now, sourceId);
      if (!row) return undefined;
      const { fingerprint, next_try, leased } = row;
      return {
        sourceId,
        ...(typeof fingerprint === 'string' && {
          cataloged: { fingerprint, paths: paths.all(sourceId).map(toPathState) },
        }),
        ...(typeof next_try === 'number' && { nextTry: next_try }),
        leased: leased === 1,
      };
    },
    count: (sourceId, now) => Number(count.get(sourceId, now)?.count),
    search: (typeId, fields) => {
      const names = Object.keys(fields);
      const conditions = names.map(() => ' AND CAST(unit_key ->> ? AS TEXT) = ?').join('');
      return database
        .prepare(`SELECT ${COLUMNS} FROM content_catalog WHERE type_id = ?${conditions} ORDER BY id`)
        .all(typeId, ...names.flatMap((name) => [name, fields[name] ?? '']))
        .map(toOffer);
    },
    offers: (typeId, unitKey) => byLocator.all(locatorOf(typeId, unitKey)).map(toOffer),
    begin: (sourceId) => {
      const before = unfinished.get(sourceId);
      if (before) giveUp({ sourceId, mark: Number(before.mark), token: String(before.token) });
      const refresh = { sourceId, mark: content.mark(), token: randomUUID() };
      begin.run(refresh);
      return refresh;
    },
    finish: ({ sourceId, token }, cataloged) =>
      transact(database, () => {
        if (end.run(sourceId, token).changes === 0) return false;
        note(sourceId, cataloged);
        return true;
      }),
    abandon: giveUp,
    putOff: (sourceId, nextTry) => {
      putOff.run(nextTry, sourceId);
    },
    acquire: (id, holder, now, until) => acquire.run({ id, holder, now, until }).changes > 0,
    release: (sourceId, holder) => {
      release.run(sourceId, holder);
    },
  };
};
