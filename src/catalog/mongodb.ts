import { from, map, mergeMap } from 'rxjs';
import type { Catalog } from '../../pipelines/model/index.ts';
import { accessOf } from './access.ts';
import { keepAnswers } from './mongodb/answers.ts';
import type { Connection } from './mongodb/connection.ts';
import { findEntries } from './mongodb/entries.ts';
import { type ImporterFolders, readImporter } from './mongodb/importers.ts';
import { findOffers, findUnitKey } from './mongodb/offers.ts';

/** Pulp 2's own database as the catalog. Asking it writes nothing, and no index is made. */
export interface MongoCatalog extends Catalog {
  /** What is known of a path is asked for anew by the next request: one of its entries turned out wrong. */
  forget(path: string): void;
}

interface Options extends ImporterFolders {
  /** Milliseconds that MongoDB may work on one query. */
  readonly maxTime: number;
  /** Milliseconds for which the answer about a path is kept. Default: 2000. */
  readonly keepFor?: number;
  /** Milliseconds since 1970, by which offers expire. */
  readonly now?: () => number;
}

/** Answers kept at most: some hundred bytes each. */
const MOST_ANSWERS = 5_000;

/** The catalog in a database that may be down: each answer is asked for then, and errors with CATALOG_UNAVAILABLE where there is none in time. */
export const openMongoCatalog = (database: Pick<Connection, 'ask'>, options: Options): MongoCatalog => {
  const { maxTime, keepFor = 2_000, now = Date.now } = options;
  const entries = keepAnswers({
    ask: (path) => database.ask((db) => findEntries(db, path, maxTime)),
    life: keepFor,
    most: MOST_ANSWERS,
    now,
  });

  return {
    lookup: (path) => entries.of(path).pipe(mergeMap((found) => from(found))),
    // Never kept: credentials that were changed count from the next request on.
    access: (importerId) => database.ask((db) => readImporter(db, importerId, options, maxTime)).pipe(map(accessOf)),
    offers: ({ unitTypeId, unitId }) =>
      database
        .ask(async (db) => {
          const key = await findUnitKey(db, unitTypeId, unitId, maxTime);
          return key ? findOffers(db, unitTypeId, key, now() / 1000, maxTime) : [];
        })
        .pipe(mergeMap((found) => from(found))),
    forget: entries.forget,
  };
};
