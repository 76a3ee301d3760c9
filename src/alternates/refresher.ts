import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { firstValueFrom, Observable, ReplaySubject, takeUntil } from 'rxjs';
import type { Access, OpenSource, Refresher, RefreshProgress } from '../../pipelines/index.ts';
import type { Offer, RefreshStore } from '../catalog/refresh-store.ts';
import type { Repository } from '../repositories/format.ts';
import { toUrlPath } from '../repositories/relative-path.ts';
import { type Cataloger, placesOf } from './catalogers/cataloger.ts';
import type { AlternateSource } from './descriptors/parse.ts';
import { urlReader } from './read-url.ts';

export interface RefresherParts {
  readonly store: RefreshStore;
  readonly open: OpenSource;
  readonly catalogerOf: (source: AlternateSource) => Cataloger;
  readonly accessOf: (source: AlternateSource) => Observable<Access>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Called with each index that a repository lists but does not have. */
  readonly onMissing?: (source: AlternateSource, url: string) => void;
}

/**
 * Offers written or removed in one step. In the embedded catalog a step takes some ten
 * milliseconds, in which nothing else runs.
 */
const BATCH = 200;

/** Milliseconds. No client waits for a refresh. */
const PATIENCE = { headTimeout: 60_000, readTimeout: 60_000 };

/** The values whose change requires a new refresh. */
export const fingerprintOf = ({ type, baseUrl, paths }: AlternateSource): string =>
  JSON.stringify([type, baseUrl, ...paths]);

/**
 * Reads the units of a source into the catalog. The new offers are written next to the old ones,
 * which are removed once all new ones are complete. Errors if a repository cannot be read to its
 * end: then the new offers are removed and the old ones kept. Unsubscribing stops reading and
 * removes the new offers. Memory is bounded: reading waits for the writes.
 */
export const makeRefresher =
  (parts: RefresherParts): Refresher<AlternateSource> =>
  (source) =>
    new Observable((subscriber) => {
      // Replays, because a reader whose file ended early continues with the next one.
      const left = new ReplaySubject<void>(1);
      let writing: Promise<unknown> = Promise.resolve();
      let undo: (() => Promise<void>) | undefined;
      /** Remembers the running write: the new offers are removed only after it. */
      const write = <T>(started: Promise<T>): Promise<T> => {
        writing = started;
        return started;
      };
      const withdraw = async (): Promise<void> => {
        const now = undo;
        undo = undefined;
        // The catalog is closed, locked or unavailable: the next refresh starts by removing these
        // leftovers.
        await now?.().catch(() => {});
      };
      subscriber.add(() => {
        left.next();
        withdraw();
      });

      const run = async () => {
        const { store } = parts;
        const access = await firstValueFrom(parts.accessOf(source));
        if (subscriber.closed) return;
        const refresh = await store.begin(source.id, parts.now() / 1000);
        undo = () => writing.catch(() => {}).then(() => store.abandon(refresh));
        if (subscriber.closed) return await withdraw();
        const expiration = Math.ceil(parts.now() / 1000 + source.expires);
        const read = readerOf(source, access, parts.open, left);
        let progress: RefreshProgress = { units: 0, file: '', bytes: 0 };
        const tell = (more: Partial<RefreshProgress>) => {
          progress = { ...progress, ...more };
          subscriber.next(progress);
        };

        for await (const offers of batches(offersOf(source, parts, read, expiration, tell))) {
          if (subscriber.closed) return;
          await write(store.add(refresh, offers));
          tell({ units: progress.units + offers.length });
          await setImmediate();
        }
        if (subscriber.closed) return;
        if (!(await write(store.finish(refresh, fingerprintOf(source), expiration))))
          throw new Error(`another refresh of ${source.id} has started`);
        undo = undefined;
        await inSlices(() => store.retire(refresh, BATCH), subscriber);
        await inSlices(() => store.purge(parts.now() / 1000, BATCH), subscriber);
      };

      run().then(
        () => subscriber.complete(),
        async (error: unknown) => {
          await withdraw();
          subscriber.error(error);
        },
      );
    });

type Read = (url: string) => AsyncIterable<Uint8Array>;

/**
 * Reads with the source's access and within its limits. Unsubscribing from the refresh stops the
 * read.
 */
const readerOf = (source: AlternateSource, access: Access, open: OpenSource, left: Observable<void>): Read => {
  const root = source.baseUrl.startsWith('file:') ? fileURLToPath(source.baseUrl) : undefined;
  return urlReader(
    (location, ask) => open({ ...location, ...(root !== undefined && { root }) }, ask).pipe(takeUntil(left)),
    access,
    PATIENCE,
  );
};

async function* offersOf(
  source: AlternateSource,
  { catalogerOf, onMissing }: RefresherParts,
  read: Read,
  expiration: number,
  tell: (progress: Omit<RefreshProgress, 'units'>) => void,
): AsyncGenerator<Offer> {
  const cataloger = catalogerOf(source);
  for (const place of placesOf(cataloger, source.paths)) {
    const base = source.baseUrl + place.path;
    const repository: Repository = {
      base,
      read: async function* (file, size) {
        let bytes = 0;
        for await (const chunk of read(base + toUrlPath(file))) {
          bytes += chunk.byteLength;
          tell({ file, bytes, size });
          yield chunk;
        }
      },
      missing: (path) => onMissing?.(source, base + toUrlPath(path)),
    };
    for await (const { unitTypeId: typeId, unitKey, path } of cataloger.read(repository, place.selection ?? {}))
      yield { sourceId: source.id, typeId, unitKey, url: base + toUrlPath(path), expiration };
  }
}

async function* batches<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    if (batch.push(item) < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Removes in small steps, so that running transfers get their turn in between. */
const inSlices = async (remove: () => Promise<number>, subscriber: { readonly closed: boolean }): Promise<void> => {
  while (!subscriber.closed && (await remove()) > 0) await setImmediate();
};
