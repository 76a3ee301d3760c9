import type { Logger } from 'pino';
import { defer, map, mergeMap, type Observable, of } from 'rxjs';
import {
  type Catalog,
  type FindCandidates,
  type Lease,
  type OpenSource,
  type RefreshEvent,
  type Refresher,
  refreshSources,
} from '../../pipelines/index.ts';
import { catalogLease } from '../catalog/lease.ts';
import type { PathState, RefreshStore } from '../catalog/refresh-store.ts';
import { maskUrl } from '../lib/mask.ts';
import { messageOf } from '../lib/thrown.ts';
import type { OpenFiles } from '../repositories/format.ts';
import type { Limits } from '../repositories/reader/guard.ts';
import { sourceAccess } from './access.ts';
import { alternateCandidates } from './candidates.ts';
import type { Cataloger } from './catalogers/cataloger.ts';
import { CATALOGERS } from './catalogers/index.ts';
import { openDescriptors } from './descriptors/folder.ts';
import type { AlternateSource, DescriptorFile, Descriptors } from './descriptors/parse.ts';
import { makeRefresher, PathsFailed, pathsOf } from './refresher.ts';

export interface AlternatesParts {
  /** The folder of the descriptors. Read at each `reload`: it may change. */
  readonly folder: string;
  /** Reads the sections of one descriptor. */
  readonly parse: (content: string, file: string) => DescriptorFile;
  /** Finds the offers of a unit. */
  readonly catalog: Pick<Catalog, 'offers'>;
  /** Receives the results of refreshes. */
  readonly store: RefreshStore;
  /** Enforces the limits of sources: see `withLimits`. */
  readonly open: OpenSource;
  /** Reads metadata. */
  readonly files: OpenFiles;
  /** What the process that reads it may take, read for each: it may change. Absent: as much as usual. */
  readonly limits?: Limits;
  readonly catalogers?: readonly Cataloger[];
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** From 0 to 1: jitter. */
  readonly random?: () => number;
  /** Called with each index that a source's repository lists but does not have. */
  readonly onMissing?: (source: AlternateSource, url: string) => void;
  /** Called with odd entries that are left out: what is wrong with the first, and their number. */
  readonly onLeftOut?: (source: AlternateSource, problem: string, count: number) => void;
  /** Called if the catalog cannot note when a source is tried again. */
  readonly onUnnoted?: (source: AlternateSource, error: unknown) => void;
}

/**
 * `fresh`: each path has valid offers. `stale`: a path has none. `refreshing`: is being refreshed,
 * by any process.
 */
export type SourceState = 'fresh' | 'stale' | 'refreshing';

export interface SourceStatus {
  readonly offers: number;
  /** Unix seconds when the first of them expire. */
  readonly expiration?: number;
  readonly state: SourceState;
  /** The paths whose last refresh failed, each with its `problem`. */
  readonly failed: readonly PathState[];
  /** Unix seconds when they are read again, if that is known. */
  readonly nextTry?: number;
}

/** Alternate content sources: their offers, and the refreshes that keep the offers fresh. */
export interface Alternates {
  readonly find: FindCandidates;
  /** Emits the present descriptors at once, and new ones after each change. */
  readonly descriptors: Observable<Descriptors>;
  /** Reads every path of a source. */
  readonly refresh: Refresher<AlternateSource>;
  readonly lease: Lease;
  /**
   * Keeps all sources fresh while subscribed. Emits the events of each, a failure once `status` has
   * the time of the next try.
   */
  readonly refreshing: Observable<RefreshEvent<AlternateSource>>;
  status(source: AlternateSource): Promise<SourceStatus>;
  /** Reloads the descriptors and the files that they refer to. */
  reload(): void;
  close(): void;
}

/**
 * A refresh costs the source's server a few megabytes, and the streamer some seconds of one core.
 * So there is no hurry: two at a time.
 */
const PACE = { concurrency: 2, spread: 5_000, wait: 60_000, waitLimit: 3_600_000 };

/** The share of an offer's life at its end in which it is renewed. */
const LAST_PART = 0.2;

export const openAlternates = (parts: AlternatesParts): Alternates => {
  const {
    parse,
    catalog,
    store,
    open,
    files,
    catalogers = CATALOGERS,
    now = Date.now,
    random = Math.random,
    onMissing,
    onLeftOut,
    onUnnoted,
  } = parts;
  const folderOf = openDescriptors({
    get folder() {
      return parts.folder;
    },
    parse,
    types: catalogers.map(({ type }) => type),
  });
  const present = folderOf.descriptors.pipe(map(({ sources }) => sources));
  const catalogerOf = (source: AlternateSource): Cataloger => {
    const found = catalogers.find(({ type }) => type === source.type);
    if (!found) throw new Error(`${source.id}: no cataloger for type ${source.type}`);
    return found;
  };
  const accessOf = sourceAccess(catalogers, open, now);

  const seconds = () => now() / 1000;
  /**
   * Milliseconds until the offers of the first path expire. 0 if a path failed, so that it is
   * retried.
   */
  const freshFor = async (source: AlternateSource): Promise<number> => {
    const expirations = pathsOf(source, await store.state(source.id, seconds())).map(({ problem, expiration }) =>
      problem === undefined ? expiration : 0,
    );
    return Math.max(0, Math.min(...expirations) * 1000 - now());
  };
  /** A failed path is retried without the others, unless they could expire before the next try. */
  const isDue = ({ problem, expiration }: PathState, { expires }: AlternateSource): boolean =>
    problem !== undefined || expiration - seconds() <= Math.max(expires * LAST_PART, PACE.waitLimit / 1000);
  const refresherParts = {
    ...{ store, files, catalogerOf, accessOf, now, onMissing, onLeftOut },
    get limits() {
      return parts.limits;
    },
  };
  const lease = catalogLease(store, { now });
  const noted = async (failed: Extract<RefreshEvent<AlternateSource>, { type: 'failed' }>): Promise<typeof failed> => {
    const { source, delay } = failed;
    try {
      await store.putOff(source.id, seconds() + delay / 1000);
    } catch (error) {
      onUnnoted?.(source, error);
    }
    return failed;
  };

  return {
    find: alternateCandidates(catalog, folderOf.sources, accessOf),
    descriptors: folderOf.descriptors,
    refresh: makeRefresher(refresherParts, () => true),
    lease,
    refreshing: refreshSources({
      ...PACE,
      random,
      sources: present,
      refresh: makeRefresher(refresherParts, isDue),
      lease,
      freshFor: (source) => defer(() => freshFor(source)),
    }).pipe(mergeMap((event) => (event.type === 'failed' ? noted(event) : of(event)))),
    status: async (source) => {
      const state = await store.state(source.id, seconds());
      const paths = pathsOf(source, state);
      const expirations = paths.map(({ expiration }) => expiration);
      const counting = expirations.filter((expiration) => expiration >= seconds());
      const expiration = counting.length > 0 ? Math.min(...counting) : Math.max(...expirations);
      const failed = paths.filter(({ problem }) => problem !== undefined);
      const { nextTry = 0 } = state ?? {};
      return {
        offers: await store.count(source.id, seconds()),
        ...(expiration > 0 && { expiration }),
        state: state?.leased ? 'refreshing' : counting.length === paths.length ? 'fresh' : 'stale',
        failed,
        ...(failed.length > 0 && nextTry > seconds() && { nextTry }),
      };
    },
    reload: folderOf.reload,
    close: folderOf.close,
  };
};

/** Logs one line for each problem in the descriptors. */
export const logProblems = (logger: Logger, { problems }: Descriptors): void => {
  for (const problem of problems) logger.warn({ problem }, 'alternate source invalid');
};

/** Logs one line for each refresh that started or ended. */
export const logRefresh = (logger: Logger, event: RefreshEvent<AlternateSource>): void => {
  const { type, source } = event;
  if (type === 'failed') {
    const { error } = event;
    const retryInMs = Math.round(event.delay);
    if (error instanceof PathsFailed) {
      if (error.units > 0) logRefreshed(logger, source, error.units);
      for (const { path, problem } of error.failures)
        logger.warn(
          { source: source.id, path, error: problem, retryInMs },
          'path of an alternate source not refreshed, retrying',
        );
    } else
      logger.warn(
        { source: source.id, error: maskUrl(messageOf(error)), retryInMs },
        'alternate source not refreshed, retrying',
      );
  } else if (type === 'done') logRefreshed(logger, source, event.units);
  else if (type !== 'progress') logger.debug({ source: source.id }, `alternate source ${type}`);
};

const logRefreshed = (logger: Logger, source: AlternateSource, units: number): void =>
  logger.info({ source: source.id, units }, 'alternate source refreshed');
