import { of } from 'rxjs';
import type { CatalogEntry } from '../../pipelines/index.ts';
import { mappedToMany } from '../../pipelines/operators/at-once.ts';
import { clientFiles } from '../catalog/client-files/client-files.ts';
import { withLifetime } from '../catalog/lifetime.ts';
import type { SqliteCatalog } from '../catalog/sqlite/catalog.ts';
import { sqliteOfferSearch } from '../catalog/sqlite/offer-search.ts';
import { sqliteRefreshStore } from '../catalog/sqlite/refresh-store.ts';
import { openWhatDiskPermits } from '../catalog/sqlite/reopening.ts';
import type { Settings } from '../config/schema.ts';
import { type Durable, makeDurable } from '../saves/outbox/sync.ts';
import type { CatalogNotices, CatalogParts, ChosenCatalog } from './chosen-catalog.ts';
import { openPulpCatalog } from './pulp-catalog.ts';
import { openSharedCatalog } from './shared-catalog.ts';

/**
 * For the thread that serves: it waits for another process no longer than milliseconds, and has
 * the log moved into the database by another thread, unless that falls 64 MiB behind.
 */
const SERVING = { busyTimeout: 20, checkpointPages: 16_384 };

/**
 * Opens the catalog that the settings choose, without waiting for a database to be up. Rejects, with nothing left open, if a file or
 * a setting cannot be used.
 */
export const openCatalog = async (
  settings: Settings,
  { onUnitMissing, onDiskError = () => {}, onReadOnly = () => {}, onRefused = () => {} }: CatalogNotices = {},
): Promise<ChosenCatalog> => {
  await using opening = new AsyncDisposableStack();
  const embedded = opening.adopt(
    openWhatDiskPermits(settings.catalog, SERVING, { onReadOnly, onWritable: () => onReadOnly(undefined) }),
    ({ close }) => close(),
  );
  const durable = opening.adopt(makeDurable(settings.catalog, { onError: onDiskError }), ({ close }) => close());
  const open = {
    sqlite: () => sqliteParts(embedded, durable, settings),
    shared: () => openSharedCatalog(settings, opening, onRefused),
    mongodb: () => openPulpCatalog(settings, opening, onUnitMissing),
  };
  const parts = await open[settings.catalogType]();
  const opened = opening.move();
  return { ...parts, embedded, close: () => opened.disposeAsync() };
};

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
