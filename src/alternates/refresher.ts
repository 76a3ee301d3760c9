import { setImmediate } from 'node:timers/promises';
import { Observable, ReplaySubject } from 'rxjs';
import type { Refresher, RefreshProgress } from '../../pipelines/index.ts';
import type { PathState, Refresh, RefreshState, RefreshStore } from '../catalog/refresh-store.ts';
import { batchesOf } from '../lib/batches-of.ts';
import { maskUrl } from '../lib/mask.ts';
import { messageOf } from '../lib/thrown.ts';
import type { AlternateSource } from './descriptors/parse.ts';
import { folderOf, type OfferParts, offersOf } from './offers-of.ts';

export interface RefresherParts extends OfferParts {
  readonly store: RefreshStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Offers written or removed in one step. In the embedded catalog a step takes about a millisecond,
 * in which nothing else runs: less than a client waits for a small file. With four times as many it
 * takes three, and all steps together a fifth less.
 */
const BATCH = 50;

/** The values whose change requires a new refresh. */
const fingerprintOf = ({ type, baseUrl, paths }: AlternateSource): string => JSON.stringify([type, baseUrl, ...paths]);

/** The state of each path of a source. After a change of the descriptor, none counts as cataloged. */
export const pathsOf = (source: AlternateSource, state: RefreshState | undefined): readonly PathState[] => {
  const { fingerprint, paths = [] } = state?.cataloged ?? {};
  const known = fingerprint === fingerprintOf(source) ? paths : [];
  return source.paths.map((path) => known.find((one) => one.path === path) ?? { path, expiration: 0 });
};

/** Some or all paths of a source could not be cataloged. */
export class PathsFailed extends Error {
  override readonly name = 'PathsFailed';
  readonly failures: readonly PathState[];
  /** Units of the other paths. */
  readonly units: number;

  constructor(paths: readonly PathState[], units: number) {
    const failures = paths.filter(({ problem }) => problem !== undefined);
    const each = failures.map(({ path, problem }) => `${path || '/'}: ${problem}`);
    super(`${failures.length} of ${paths.length} paths cannot be cataloged: ${each.join('; ')}`);
    this.failures = failures;
    this.units = units;
  }
}

/**
 * Reads the units of a source into the catalog, one path after the other. The new offers of a path
 * are written next to its old ones, which are removed at the end. If a path cannot be read to its
 * end, its new offers are removed and its old ones kept. The other paths are read all the same. The
 * refresh then errors: with PathsFailed, or with the reason itself if the source has one path only.
 * Unsubscribing stops reading and removes the new offers of the path that is being read. Memory is
 * bounded: reading waits for the writes.
 *
 * @param isDue selects the paths to read
 */
export const makeRefresher =
  (parts: RefresherParts, isDue: (path: PathState, source: AlternateSource) => boolean): Refresher<AlternateSource> =>
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
      let progress: RefreshProgress = { units: 0, file: '', bytes: 0 };
      const report = (more: Partial<RefreshProgress>) => {
        progress = { ...progress, ...more };
        subscriber.next(progress);
      };

      /** Adds the offers of a path. Resolves to the failure if it cannot be read to its end. */
      const catalog = async (refresh: Refresh, path: string, expiration: number): Promise<Failure | undefined> => {
        const reading = batchesOf(offersOf(source, path, parts, left, expiration, report), BATCH);
        try {
          for (;;) {
            const batch = await reading.next().catch((error: unknown): Failure => ({ error }));
            if ('error' in batch) return batch;
            if (batch.done || subscriber.closed) return undefined;
            await write(parts.store.add(refresh, batch.value));
            report({ units: progress.units + batch.value.length });
            await setImmediate();
          }
        } finally {
          await reading.return(undefined);
        }
      };

      const run = async () => {
        const { store, now } = parts;
        const seconds = () => now() / 1000;
        let paths = pathsOf(source, await store.state(source.id, seconds()));
        const read = new Set<string>();
        let units = 0;
        let first: Refresh | undefined;
        let failure: Failure | undefined;

        for (const { path, expiration: before } of paths.filter((one) => isDue(one, source))) {
          if (subscriber.closed) return;
          const refresh = await store.begin(source.id, seconds());
          first ??= refresh;
          undo = () => writing.catch(() => {}).then(() => store.abandon(refresh));
          if (subscriber.closed) return await withdraw();
          const expiration = Math.ceil(seconds() + source.expires);
          const failed = await catalog(refresh, path, expiration);
          if (subscriber.closed) return;
          const state: PathState = failed
            ? { path, expiration: before, problem: maskUrl(messageOf(failed.error)) }
            : { path, expiration };
          paths = paths.map((one) => (one.path === path ? state : one));
          const cataloged = { fingerprint: fingerprintOf(source), paths };
          if (failed) {
            failure = failed;
            await write(store.abandon(refresh, cataloged));
            report({ units });
          } else {
            if (!(await write(store.finish(refresh, cataloged))))
              throw new Error(`another refresh of ${source.id} has started`);
            read.add(path);
            units = progress.units;
          }
          undo = undefined;
        }

        if (first && read.size > 0) {
          const refresh = first;
          const kept = source.paths.filter((path) => !read.has(path)).map((path) => folderOf(source, path, parts));
          await inSlices(() => store.retire(refresh, BATCH, kept), subscriber);
        }
        await inSlices(() => store.purge(seconds(), BATCH), subscriber);
        if (failure) throw source.paths.length === 1 ? failure.error : new PathsFailed(paths, units);
      };

      run().then(
        () => subscriber.complete(),
        async (error: unknown) => {
          await withdraw();
          subscriber.error(error);
        },
      );
    });

interface Failure {
  readonly error: unknown;
}

/** Removes in small steps, so that running transfers get their turn in between. */
const inSlices = async (remove: () => Promise<number>, subscriber: { readonly closed: boolean }): Promise<void> => {
  while (!subscriber.closed && (await remove()) > 0) await setImmediate();
};
