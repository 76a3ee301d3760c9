import type { Observable } from 'rxjs';
import type { Catalog, CatalogEntry } from '../../pipelines/index.ts';
import type { Connection } from '../catalog/mongodb/connection.ts';
import type { OfferSearch } from '../catalog/offer-search.ts';
import type { RefreshStore } from '../catalog/refresh-store.ts';
import type { SqliteCatalog } from '../catalog/sqlite/catalog.ts';
import type { CatalogStore } from '../catalog/store.ts';
import type { StoredEntry } from '../catalog/stored-entry.ts';

/** The catalog that the settings choose. */
export interface ChosenCatalog extends Catalog {
  /** The embedded catalog. Unused unless it is the catalog. */
  readonly embedded: SqliteCatalog;
  /** The catalog of our own that entries are looked up in; absent if it is Pulp's database. */
  readonly own?: CatalogStore;
  /** Stores the results of refreshes of alternate sources. */
  readonly store: RefreshStore;
  /** Searches those results, for operators. */
  readonly search: OfferSearch;
  /** Pulp's database, if it is the catalog. */
  readonly database?: Connection;
  /** As that of a catalog of our own. Pulp removes its entries itself. */
  tidied(before: number): AsyncIterable<readonly StoredEntry[]>;
  /** Emits whether the catalog answers: as soon as that is known, and after each change. */
  readonly ready: Observable<boolean>;
  /** Applies changed settings of Pulp's database to queries that begin from now on. */
  renew(): void;
  /** Drops what is remembered of a path, because one of its entries turned out wrong. */
  forget(path: string): void;
  close(): Promise<void>;
}

export interface CatalogNotices {
  /** Called with each entry found whose unit Pulp's database does not have. Must not throw. */
  readonly onUnitMissing?: (entry: CatalogEntry) => void;
  /** Called if the disk refuses to make a write durable; it is tried again. Must not throw. */
  readonly onDiskError?: (error: unknown) => void;
  /** Called if the disk only permits reading, and with `undefined` once it permits writing. */
  readonly onReadOnly?: (error: unknown) => void;
  /** Called if the database of the shared catalog cannot be used: it is another program's. Must not throw. */
  readonly onRefused?: (problem: string) => void;
}

/** A catalog without what all have. */
export type CatalogParts = Omit<ChosenCatalog, 'embedded' | 'close'>;
