import { from, map, mergeMap, tap } from 'rxjs';
import type { Catalog, CatalogEntry } from '../../../pipelines/model/index.ts';
import { accessOf } from '../access.ts';
import { keepAnswers } from './answers.ts';
import type { Connection } from './connection.ts';
import { findChildren, findEntries } from './entries.ts';
import { type ImporterFolders, readImporter } from './importers.ts';
import { findOffers, findUnitKey } from './offers.ts';
import { repeatInterrupted } from './repeat-interrupted.ts';

/** Pulp 2's own database as the catalog. Lookups write nothing, and no index is created. */
export interface MongoCatalog extends Catalog {
  /** Drops the cached answer for a path, if an entry proved wrong. The next request asks again. */
  forget(path: string): void;
}

interface Options extends ImporterFolders {
  /** Milliseconds that MongoDB may work on one query. */
  readonly maxTime: number;
  /** Milliseconds for which the answer for a path is cached. Default: 2000. */
  readonly keepFor?: number;
  /** Milliseconds since 1970. Decides which offers have expired. */
  readonly now?: () => number;
  /** Called with each entry found whose unit the database does not have. Must not throw. */
  readonly onUnitMissing?: (entry: CatalogEntry) => void;
}

/** Limit of cached answers; each takes some hundred bytes. */
const MOST_ANSWERS = 5_000;

/**
 * The catalog in a database that may be down. Each query runs at subscription. It errors with
 * CATALOG_UNAVAILABLE if no answer comes in time.
 */
export const openMongoCatalog = (database: Pick<Connection, 'ask'>, options: Options): MongoCatalog => {
  const { maxTime, keepFor = 2_000, now = Date.now, onUnitMissing = () => {} } = options;
  const ask: Connection['ask'] = (question) => database.ask(question).pipe(repeatInterrupted(maxTime));
  const entries = keepAnswers({
    ask: (path) =>
      ask((db) => findEntries(db, path, maxTime)).pipe(
        tap((found) => {
          for (const entry of found) if (entry.unitMissing) onUnitMissing(entry);
        }),
      ),
    life: keepFor,
    most: MOST_ANSWERS,
    now,
  });

  return {
    spelling: 'raw',
    lookup: (path) => entries.of(path).pipe(mergeMap((found) => from(found))),
    children: (folder, after, limit) =>
      ask((db) => findChildren(db, folder, after, limit, maxTime)).pipe(mergeMap((found) => from(found))),
    // Never cached: changed credentials apply from the next request on.
    access: (importerId) => ask((db) => readImporter(db, importerId, options, maxTime)).pipe(map(accessOf)),
    offers: ({ unitTypeId, unitId }) =>
      ask(async (db) => {
        const key = await findUnitKey(db, unitTypeId, unitId, maxTime);
        return key ? findOffers(db, unitTypeId, key, now() / 1000, maxTime) : [];
      }).pipe(mergeMap((found) => from(found))),
    forget: entries.forget,
  };
};
