import { defer, from, type Observable, of } from 'rxjs';
import { type Access, type Catalog, type Offer, StreamError } from '../../pipelines/model/index.ts';
import { messageOf } from '../lib/thrown.ts';
import { accessOf } from './access.ts';
import { type Content, makeContent } from './sqlite/content.ts';
import { type Entries, makeEntries } from './sqlite/entries.ts';
import { type Importers, makeImporters } from './sqlite/importers.ts';
import { makeRefreshes, type Refreshes } from './sqlite/refreshes.ts';
import { openDatabase } from './sqlite/schema.ts';
import { makeUnits, type Units } from './sqlite/units.ts';

/**
 * The embedded catalog: Pulp's collections as tables of one SQLite file. The methods of the port
 * read synchronously, at subscription.
 */
export interface SqliteCatalog extends Catalog {
  readonly entries: Entries;
  readonly importers: Importers;
  readonly units: Units;
  readonly content: Content;
  readonly refreshes: Refreshes;
  close(): void;
}

interface Options {
  /** Milliseconds that a write waits for a write of another process. Reads never wait. */
  readonly busyTimeout?: number;
  /** The current time in milliseconds since 1970. Decides which offers have expired. */
  readonly now?: () => number;
}

const unavailable = (file: string, error: unknown): StreamError =>
  new StreamError('CATALOG_UNAVAILABLE', 'catalog', `catalog ${file}: ${messageOf(error)}`, { cause: error });

const findAccess = (importers: Importers, id: string): Access => {
  const found = importers.get(id);
  if (!found) throw new StreamError('SOURCE_BROKEN', 'catalog', `importer ${id} is not in the catalog`);
  return accessOf(found.config);
};

/**
 * Opens the catalog in a file, which is created on first use. `:memory:` creates one that exists
 * until `close`. Throws CATALOG_UNAVAILABLE if the file cannot be opened or is not a catalog.
 */
export const openSqliteCatalog = (
  file: string,
  { busyTimeout = 5000, now = Date.now }: Options = {},
): SqliteCatalog => {
  const asking = <T>(ask: () => Observable<T>): Observable<T> =>
    defer(() => {
      try {
        return ask();
      } catch (error) {
        throw error instanceof StreamError ? error : unavailable(file, error);
      }
    });
  try {
    const database = openDatabase(file, busyTimeout);
    const entries = makeEntries(database);
    const importers = makeImporters(database);
    const units = makeUnits(database);
    const content = makeContent(database);
    const findOffers = (typeId: string, unitId: string): readonly Offer[] => {
      const key = units.find(typeId, unitId);
      return key ? content.find(typeId, key, now() / 1000) : [];
    };
    return {
      entries,
      importers,
      units,
      content,
      refreshes: makeRefreshes(database, content),
      spelling: 'decoded',
      lookup: (path) => asking(() => from(entries.find(path))),
      access: (importerId) => asking(() => of(findAccess(importers, importerId))),
      offers: ({ unitTypeId, unitId }) => asking(() => from(findOffers(unitTypeId, unitId))),
      close: () => database.close(),
    };
  } catch (error) {
    throw unavailable(file, error);
  }
};
