import { distinctUntilChanged, exhaustMap, map, type Observable, of, switchMap, takeWhile, timer } from 'rxjs';
import type { Catalog, CatalogEntry } from '../../pipelines/index.ts';
import { mappedToMany } from '../../pipelines/operators/at-once.ts';
import { clientFiles } from '../catalog/client-files/client-files.ts';
import { withLifetime } from '../catalog/lifetime.ts';
import type { Connection } from '../catalog/mongodb/connection.ts';
import type { OfferSearch } from '../catalog/offer-search.ts';
import type { RefreshStore } from '../catalog/refresh-store.ts';
import type { SqliteCatalog } from '../catalog/sqlite/catalog.ts';
import { sqliteOfferSearch } from '../catalog/sqlite/offer-search.ts';
import { sqliteRefreshStore } from '../catalog/sqlite/refresh-store.ts';
import { openWhatDiskPermits } from '../catalog/sqlite/reopening.ts';
import type { CatalogStore } from '../catalog/store.ts';
import type { StoredEntry } from '../catalog/stored-entry.ts';
import type { Settings } from '../config/schema.ts';
import { messageOf } from '../lib/thrown.ts';
import { type Durable, makeDurable } from '../saves/outbox/sync.ts';
import { checkDatabase, databaseFiles, databaseOf } from './database-settings.ts';
import { textsOf } from './identity-files.ts';
import { openSharedForDaemon } from './own-catalog.ts';
import { type Succession, succession } from './succession.ts';

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

interface Notices {
  /** Called with each entry found whose unit Pulp's database does not have. Must not throw. */
  readonly onUnitMissing?: (entry: CatalogEntry) => void;
  /** Called if the disk refuses to make a write durable; it is tried again. Must not throw. */
  readonly onDiskError?: (error: unknown) => void;
  /** Called if the disk only permits reading, and with `undefined` once it permits writing. */
  readonly onReadOnly?: (error: unknown) => void;
  /** Called if the database of the shared catalog cannot be used: it is another program's. Must not throw. */
  readonly onRefused?: (problem: string) => void;
}

/**
 * For the thread that serves: it waits for another process no longer than milliseconds, and has
 * the log moved into the database by another thread, unless that falls 64 MiB behind.
 */
const SERVING = { busyTimeout: 20, checkpointPages: 16_384 };

/**
 * Opens it, without waiting for a database to be up. Rejects, with nothing left open, if a file or
 * a setting cannot be used.
 */
export const openCatalog = async (
  settings: Settings,
  { onUnitMissing, onDiskError = () => {}, onReadOnly = () => {}, onRefused = () => {} }: Notices = {},
): Promise<ChosenCatalog> => {
  await using opening = new AsyncDisposableStack();
  const embedded = opening.adopt(
    openWhatDiskPermits(settings.catalog, SERVING, { onReadOnly, onWritable: () => onReadOnly(undefined) }),
    ({ close }) => close(),
  );
  const durable = opening.adopt(makeDurable(settings.catalog, { onError: onDiskError }), ({ close }) => close());
  const open = {
    sqlite: () => sqliteParts(embedded, durable, settings),
    shared: () => openSharedParts(settings, opening, onRefused),
    mongodb: () => openMongo(settings, opening, onUnitMissing),
  };
  const parts = await open[settings.catalogType]();
  const opened = opening.move();
  return { ...parts, embedded, close: () => opened.disposeAsync() };
};

type CatalogParts = Omit<ChosenCatalog, 'embedded' | 'close'>;

const sqliteParts = (embedded: SqliteCatalog, { soon }: Durable, settings: Settings): CatalogParts => {
  const { spelling, lookup, children, access, offers } = embedded;
  const store = sqliteRefreshStore(embedded, soon);
  const limited = withLifetime(() => settings.metadataMaxAge);
  const lifetime = (entry: CatalogEntry) => [limited(entry)];
  return {
    ...{ spelling, children, access, offers, store, own: embedded, made: clientFiles(embedded) },
    lookup: (path) => mappedToMany(lookup(path), lifetime),
    search: sqliteOfferSearch(embedded),
    tidied: (before) => embedded.entries.tidied(before),
    ready: of(true),
    forget: () => {},
    renew: () => {},
  };
};

const openSharedParts = async (
  settings: Settings,
  opening: AsyncDisposableStack,
  onRefused: (problem: string) => void,
): Promise<CatalogParts> => {
  const { connection, store } = await openSharedForDaemon(settings);
  opening.adopt(store, ({ close }) => close());
  const [{ sharedCatalog }, { sharedOfferSearch }] = await Promise.all([
    import('../catalog/shared/catalog.ts'),
    import('../catalog/shared/open.ts'),
  ]);
  const { mongodbTimeout: maxTime } = settings;
  const catalog = sharedCatalog(store, { maxTime });
  const limited = withLifetime(() => settings.metadataMaxAge);
  const lifetime = (entry: CatalogEntry) => [limited(entry)];
  return {
    ...catalog,
    lookup: (path) => mappedToMany(catalog.lookup(path), lifetime),
    store: store.refreshes,
    search: sharedOfferSearch(store, maxTime),
    tidied: store.entries.tidied,
    own: store,
    renew: () => {},
    // It answers, but it may be the wrong one.
    ready: connection.ready.pipe(switchMap((isUp) => (isUp ? usable(store, onRefused) : of(false)))),
  };
};

/** Milliseconds until a database that could not be used is looked at again. */
const LOOK_AGAIN = 5_000;

/** Emits whether the catalog can be used, until it can; then completes. */
const usable = (store: CatalogStore, onRefused: (problem: string) => void): Observable<boolean> => {
  const look = async (): Promise<string> => {
    try {
      await store.catchUp();
      return '';
    } catch (error) {
      return messageOf(error);
    }
  };
  return timer(0, LOOK_AGAIN).pipe(
    exhaustMap(look),
    takeWhile((problem) => problem !== '', true),
    distinctUntilChanged(),
    map((problem) => {
      if (problem !== '') onRefused(problem);
      return problem === '';
    }),
  );
};

const openMongo = async (
  settings: Settings,
  opening: AsyncDisposableStack,
  onUnitMissing: Notices['onUnitMissing'],
): Promise<CatalogParts> => {
  await checkDatabase(settings);
  // The driver takes half a second and 30 MB: it is loaded only if it is used.
  const [
    { connectMongo },
    { openMongoCatalog },
    { mongoListing },
    { inBatches },
    { mongoRefreshStore },
    { mongoOfferSearch },
  ] = await Promise.all([
    import('../catalog/mongodb/connection.ts'),
    import('../catalog/mongodb/catalog.ts'),
    import('../catalog/mongodb/listing.ts'),
    import('../catalog/shared/in-batches.ts'),
    import('../catalog/mongodb/refreshes.ts'),
    import('../catalog/mongodb/offer-search.ts'),
  ]);
  const databases = opening.adopt(
    succession(
      () => ({ database: databaseOf(settings), files: textsOf(databaseFiles(settings)) }),
      (part) => connectMongo(part.database, settings.mongodbTimeout),
    ),
    ({ close }) => close(),
  );
  const database = presentOf(databases);
  const { mongodbTimeout: maxTime } = settings;
  const options = {
    get storageDir() {
      return settings.storageDir;
    },
    get pluginConfigDir() {
      return settings.pluginConfigDir;
    },
    ...{ maxTime, onUnitMissing },
  };
  const catalog = openMongoCatalog(database, options);
  const store = mongoRefreshStore(database, maxTime);
  opening.defer(() => store.settled());
  const { entries } = mongoListing(database, options);
  const usable = async function* () {
    for await (const batch of inBatches(entries('/', 'age')))
      yield batch.flatMap((one) => ('problem' in one ? [] : [one]));
  };
  const search = mongoOfferSearch(database, maxTime);
  return { ...catalog, store, search, tidied: usable, renew: databases.renew, database, ready: database.ready };
};

/** The connection to the database that the settings name at each moment. */
const presentOf = ({ use, each, current, close }: Succession<Connection>): Connection => ({
  ask: (question) => use(({ ask }) => ask(question)),
  ready: each.pipe(
    switchMap(({ ready }) => ready),
    distinctUntilChanged(),
  ),
  isPrivate: current.isPrivate,
  close,
});
