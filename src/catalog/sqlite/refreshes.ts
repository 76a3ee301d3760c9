import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { UnitKey } from '../../repositories/unit.ts';
import { locatorOf } from '../locator.ts';
import type { Offer, Refresh, RefreshState } from '../refresh-store.ts';
import type { Content } from './content.ts';
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
   * Completes the refresh: from now on its offers decide how fresh the source is. Returns `false`
   * if another refresh has begun since.
   */
  finish(refresh: Refresh, fingerprint: string, expiration: number): boolean;
  /** Ends a failed refresh: removes its offers, unless a later refresh has removed them. */
  abandon(refresh: Refresh): void;
  /** Takes or prolongs the lease on a source. Returns `false` if another holder has it. */
  acquire(sourceId: string, holder: string, now: number, until: number): boolean;
  release(sourceId: string, holder: string): void;
}

// Pulp has no such collection. It takes a source with any offer for fresh, even after an
// interrupted refresh.
const TABLE = `
  CREATE TABLE IF NOT EXISTS content_sources (
    source_id TEXT PRIMARY KEY,
    fingerprint TEXT,
    expiration INTEGER NOT NULL DEFAULT 0,
    mark INTEGER,
    token TEXT,
    holder TEXT,
    leased_until REAL NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID`;

const COLUMNS = 'source_id, type_id, unit_key, url, expiration';

const toOffer = (row: Record<string, unknown>): Offer => ({
  sourceId: String(row.source_id),
  typeId: String(row.type_id),
  unitKey: JSON.parse(String(row.unit_key)),
  url: String(row.url),
  expiration: Number(row.expiration),
});

export const makeRefreshes = (database: DatabaseSync, content: Content): Refreshes => {
  database.exec(TABLE);
  const state = database.prepare(
    'SELECT fingerprint, expiration, leased_until >= ? AS leased FROM content_sources WHERE source_id = ?',
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
  const finish = database.prepare(
    'UPDATE content_sources SET token = NULL, fingerprint = ?, expiration = ? WHERE source_id = ? AND token = ?',
  );
  const abandon = database.prepare('UPDATE content_sources SET token = NULL WHERE source_id = ? AND token = ?');
  const byLocator = database.prepare(`SELECT ${COLUMNS} FROM content_catalog WHERE locator = ? ORDER BY id`);
  const acquire = database.prepare(
    `INSERT INTO content_sources (source_id, holder, leased_until) VALUES (:id, :holder, :until)
     ON CONFLICT (source_id) DO UPDATE SET holder = excluded.holder, leased_until = excluded.leased_until
     WHERE leased_until < :now OR holder = excluded.holder`,
  );
  const release = database.prepare('UPDATE content_sources SET leased_until = 0 WHERE source_id = ? AND holder = ?');

  const giveUp = ({ sourceId, mark, token }: Refresh): void =>
    transact(database, () => {
      if (abandon.run(sourceId, token).changes > 0) content.withdraw(sourceId, mark);
    });

  return {
    state: (sourceId, now) => {
      const row = state.get(now, sourceId);
      if (!row) return undefined;
      const { fingerprint, expiration, leased } = row;
      return {
        sourceId,
        ...(typeof fingerprint === 'string' && { fingerprint }),
        expiration: Number(expiration),
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
    finish: ({ sourceId, token }, fingerprint, expiration) =>
      finish.run(fingerprint, expiration, sourceId, token).changes > 0,
    abandon: giveUp,
    acquire: (id, holder, now, until) => acquire.run({ id, holder, now, until }).changes > 0,
    release: (sourceId, holder) => {
      release.run(sourceId, holder);
    },
  };
};
