import type { DatabaseSync } from 'node:sqlite';
import { keyText, type UnitKey } from '../../repositories/unit.ts';
import { locatorOf } from '../locator.ts';
import { KEPT_AFTER_EXPIRATION, type Offer } from '../refresh-store.ts';
import { transact } from './schema.ts';

/**
 * `content_catalog`: the offers of alternate content sources. Times are Unix seconds. Each removal
 * takes a limit (default: none) and returns the number of offers removed. Removing a hundred
 * thousand takes a while and blocks the event loop.
 */
export interface Content {
  /** Each source's newest unexpired offer of a unit. */
  find(typeId: string, unitKey: UnitKey, now: number): { readonly sourceId: string; readonly url: string }[];
  /** Whether a source has any unexpired offer. If not, it needs a refresh. */
  isFresh(sourceId: string, now: number): boolean;
  /** Adds offers. A source's newer offers come before its older ones. */
  add(offers: readonly Offer[]): void;
  /** Marks the current end of the catalog, so that `retire` can separate old from new. */
  mark(): number;
  /** Removes the offers of a source from before a mark, except those below the folders `kept`. */
  retire(sourceId: string, mark: number, most?: number, kept?: readonly string[]): number;
  /** Removes the offers of a source since a mark: those of a failed refresh. */
  withdraw(sourceId: string, mark: number, most?: number): number;
  /** Removes offers that expired more than an hour ago, as Pulp does. */
  purge(now: number, most?: number): number;
}

/** SQLite treats a negative limit as no limit. */
const ALL = -1;

export const makeContent = (database: DatabaseSync): Content => {
  // SQLite takes the other columns from the row that has the maximum (sqlite.org/lang_select.html,
  // "bare columns").
  const find = database.prepare(
    `SELECT source_id, url, max(id) FROM content_catalog WHERE locator = ? AND expiration >= ?
     GROUP BY source_id ORDER BY source_id`,
  );
  const fresh = database.prepare('SELECT 1 FROM content_catalog WHERE source_id = ? AND expiration >= ? LIMIT 1');
  const insert = database.prepare(
    'INSERT INTO content_catalog (source_id, expiration, type_id, unit_key, locator, url) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const last = database.prepare('SELECT ifnull(max(id), 0) AS id FROM content_catalog');
  const removal = (which: string) =>
    database.prepare(`DELETE FROM content_catalog WHERE id IN (SELECT id FROM content_catalog WHERE ${which} LIMIT ?)`);
  // Compares each row, without an index: folders to keep are the exception.
  const retire = removal(
    `source_id = ? AND id <= ? AND NOT EXISTS (
       SELECT 1 FROM json_each(?) AS kept WHERE substr(url, 1, length(kept.value)) = kept.value
     ) ORDER BY expiration`,
  );
  const withdraw = removal('source_id = ? AND id > ? ORDER BY expiration DESC');
  const purge = removal('expiration < ?');

  return {
    find: (typeId, unitKey, now) =>
      find
        .all(locatorOf(typeId, unitKey), now)
        .map((row) => ({ sourceId: String(row.source_id), url: String(row.url) })),
    isFresh: (sourceId, now) => fresh.get(sourceId, now) !== undefined,
    add: (offers) =>
      transact(database, () => {
        for (const { sourceId, expiration, typeId, unitKey, url } of offers) {
          insert.run(sourceId, expiration, typeId, keyText(unitKey), locatorOf(typeId, unitKey), url);
        }
      }),
    mark: () => Number(last.get()?.id),
    retire: (sourceId, mark, most = ALL, kept = []) =>
      Number(retire.run(sourceId, mark, JSON.stringify(kept), most).changes),
    withdraw: (sourceId, mark, most = ALL) => Number(withdraw.run(sourceId, mark, most).changes),
    purge: (now, most = ALL) => Number(purge.run(now - KEPT_AFTER_EXPIRATION, most).changes),
  };
};
