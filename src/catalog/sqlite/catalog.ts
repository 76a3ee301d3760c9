import type { Observable } from 'rxjs';
import {
  type Access,
  type Catalog,
  type CatalogEntry,
  type Offer,
  StreamError,
} from '../../../pipelines/model/index.ts';
import { AtOnce } from '../../../pipelines/operators/at-once.ts';
import { isOnDisk, rootAt } from '../../lib/plain-path.ts';
import { accessOf } from '../access.ts';
import type { Importer } from '../store.ts';
import type { StoredEntry } from '../stored-entry.ts';
import type { Importers } from './importers.ts';
import { openTables, type TableOptions, type Tables, unavailable } from './tables.ts';

/** The embedded catalog. The methods of the port read synchronously, at subscription. */
export interface SqliteCatalog extends Catalog, Tables {}

interface Options extends TableOptions {
  /** The current time in milliseconds since 1970. Decides which offers have expired. */
  readonly now?: () => number;
}

const findAccess = (importers: Importers, id: string): Access => {
  const found = importers.get(id);
  if (!found) throw new StreamError('SOURCE_BROKEN', 'catalog', `importer ${id} is not in the catalog`);
  const access = accesses.get(found) ?? accessOf(found.config);
  accesses.set(found, access);
  return access;
};

/** Made once for each version of an importer; sources recognize it, and prepare connections once. */
const accesses = new WeakMap<Importer, Access>();

/**
 * Opens the catalog in a file, which is created on first use. `:memory:` creates one that exists
 * until `close`. Throws CATALOG_UNAVAILABLE if the file cannot be opened or is not a catalog.
 */
export const openSqliteCatalog = (file: string, { now = Date.now, ...options }: Options = {}): SqliteCatalog => {
  const asking = <T>(ask: () => readonly T[]): Observable<T> =>
    new AtOnce(() => {
      try {
        return ask();
      } catch (error) {
        throw error instanceof StreamError ? error : unavailable(file, error);
      }
    });
  const tables = openTables(file, options);
  const { entries, importers, units, content } = tables;
  const findOffers = (typeId: string, unitId: string): readonly Offer[] => {
    const key = units.find(typeId, unitId);
    return key ? content.find(typeId, key, now() / 1000) : [];
  };
  /** An imported file on disk lies in the folder of its repository. */
  const withRoot = (entry: StoredEntry): CatalogEntry => {
    if (entry.prefix === undefined || !isOnDisk(entry.url)) return entry;
    return { ...entry, ...rootAt(tables.repositories.baseOf({ prefix: entry.prefix, importerId: entry.importerId })) };
  };
  return {
    ...tables,
    spelling: 'decoded',
    lookup: (path) => asking(() => entries.find(path).map(withRoot)),
    children: (folder, after, limit) => asking(() => entries.children(folder, after, limit)),
    access: (importerId) => asking(() => [findAccess(importers, importerId)]),
    offers: ({ unitTypeId, unitId }) => asking(() => findOffers(unitTypeId, unitId)),
  };
};
