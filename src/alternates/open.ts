import type { Logger } from 'pino';
import { defer, map, type Observable } from 'rxjs';
import {
  type Catalog,
  type FindCandidates,
  type Lease,
  type OpenSource,
  type RefreshEvent,
  type Refresher,
  refreshSources,
} from '../../pipelines/index.ts';
import type { RefreshState, RefreshStore } from '../catalog/refresh-store.ts';
import { maskUrl } from '../lib/mask.ts';
import { messageOf } from '../lib/thrown.ts';
import { sourceAccess } from './access.ts';
import { alternateCandidates } from './candidates.ts';
import type { Cataloger } from './catalogers/cataloger.ts';
import { CATALOGERS } from './catalogers/index.ts';
import { openDescriptors } from './descriptors/folder.ts';
import type { AlternateSource, DescriptorFile, Descriptors } from './descriptors/parse.ts';
import { catalogLease } from './lease.ts';
import { fingerprintOf, makeRefresher } from './refresher.ts';

export interface AlternatesParts {
  /** The folder of the descriptors. */
  readonly folder: string;
  /** Reads the sections of one descriptor. */
  readonly parse: (content: string, file: string) => DescriptorFile;
  /** Finds the offers of a unit. */
  readonly catalog: Pick<Catalog, 'offers'>;
  /** Receives the results of refreshes. */
  readonly store: RefreshStore;
  /** Enforces the limits of sources: see `withLimits`. */
  readonly open: OpenSource;
  readonly catalogers?: readonly Cataloger[];
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** From 0 to 1: jitter. */
  readonly random?: () => number;
  /** Called with each index that a source's repository lists but does not have. */
  readonly onMissing?: (source: AlternateSource, url: string) => void;
}

/**
 * `fresh`: has valid offers. `stale`: needs a refresh. `refreshing`: is being refreshed, by any
 * process.
 */
export type SourceState = 'fresh' | 'stale' | 'refreshing';

export interface SourceStatus {
  readonly offers: number;
  /** Unix seconds. */
  readonly expiration?: number;
  readonly state: SourceState;
}

/** Alternate content sources: their offers, and the refreshes that keep the offers fresh. */
export interface Alternates {
  readonly find: FindCandidates;
  /** Emits the present descriptors at once, and new ones after each change. */
  readonly descriptors: Observable<Descriptors>;
  readonly refresh: Refresher<AlternateSource>;
  readonly lease: Lease;
  /** Keeps all sources fresh while subscribed; emits the events of each. */
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

export const openAlternates = (parts: AlternatesParts): Alternates => {
  const {
    folder,
    parse,
    catalog,
    store,
    open,
    catalogers = CATALOGERS,
    now = Date.now,
    random = Math.random,
    onMissing,
  } = parts;
  const folderOf = openDescriptors({
    folder,
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
   * The time when a source's offers expire; 0 if the descriptor has changed since they were
   * cataloged.
   */
  const expirationOf = (source: AlternateSource, state: RefreshState | undefined): number =>
    state?.fingerprint === fingerprintOf(source) ? state.expiration : 0;
  const freshFor = async (source: AlternateSource): Promise<number> =>
    Math.max(0, expirationOf(source, await store.state(source.id, seconds())) * 1000 - now());
  const refresh = makeRefresher({ store, open, catalogerOf, accessOf, now, onMissing });
  const lease = catalogLease(store, { now });

  return {
    find: alternateCandidates(catalog, present, accessOf),
    descriptors: folderOf.descriptors,
    refresh,
    lease,
    refreshing: refreshSources({
      ...PACE,
      random,
      sources: present,
      refresh,
      lease,
      freshFor: (source) => defer(() => freshFor(source)),
    }),
    status: async (source) => {
      const state = await store.state(source.id, seconds());
      const expiration = expirationOf(source, state);
      return {
        offers: await store.count(source.id, seconds()),
        ...(expiration > 0 && { expiration }),
        state: state?.leased ? 'refreshing' : expiration >= seconds() ? 'fresh' : 'stale',
      };
    },
    reload: folderOf.reload,
    close: folderOf.close,
  };
};

/** Logs one line for each problem in the descriptors. */
export const logProblems = (logger: Logger, { problems }: Descriptors): void => {
  for (const problem of problems) logger.warn({ problem }, 'alternate source invalid, left out');
};

/** Logs one line for each refresh that started or ended. */
export const logRefresh = (logger: Logger, event: RefreshEvent<AlternateSource>): void => {
  const { type, source } = event;
  if (type === 'failed') {
    const error = maskUrl(messageOf(event.error));
    logger.warn(
      { source: source.id, error, retryInMs: Math.round(event.delay) },
      'alternate source not refreshed, retrying',
    );
  } else if (type === 'done') logger.info({ source: source.id, units: event.units }, 'alternate source refreshed');
  else if (type !== 'progress') logger.debug({ source: source.id }, `alternate source ${type}`);
};
