import { distinctUntilChanged, exhaustMap, map, type Observable, of, switchMap, takeWhile, timer } from 'rxjs';
import type { CatalogEntry } from '../../pipelines/index.ts';
import { mappedToMany } from '../../pipelines/operators/at-once.ts';
import { withLifetime } from '../catalog/lifetime.ts';
import type { CatalogStore } from '../catalog/store.ts';
import type { Settings } from '../config/schema.ts';
import { messageOf } from '../lib/thrown.ts';
import type { CatalogParts } from './chosen-catalog.ts';
import { openSharedForDaemon } from './own-catalog.ts';

/** The catalog that several streamers share. */
export const openSharedCatalog = async (
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
