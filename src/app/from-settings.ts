import { join } from 'node:path';
import type { SchedulerLike } from 'rxjs';
import {
  createHealth,
  createSharing,
  type FolderPolicy,
  type Health,
  type LazyFetchDeps,
  type Policy,
} from '../../pipelines/index.ts';
import { settingsOf } from '../config/from-options.ts';
import type { EmbeddedOptions } from '../config/options.ts';
import type { Settings } from '../config/schema.ts';
import { type Limits, limitsOf } from '../repositories/reader/guard.ts';
import { createSources, type SourceSettings, type Sources } from '../sources/open.ts';
import { newDigest } from './compose.ts';
import { steadyClock } from './steady-clock.ts';
import { version } from './version.ts';

export type { SettingOptions } from '../config/options.ts';
export { settingsOf };

/** The policy that the settings describe. */
export const policyOf = (settings: Settings): Policy => ({
  cacheTimeout: settings.cacheTimeout,
  answerTimeout: settings.answerTimeout,
  headTimeout: settings.headTimeout,
  readTimeout: settings.readTimeout,
  verifyWholeBelow: settings.verifyWholeBelow,
  verifyWholeWithin: settings.verifyWholeWithin,
  attempts: settings.attempts,
  attemptsPerCandidate: settings.attemptsPerCandidate,
  retryWait: settings.retryWait,
  retryWaitLimit: settings.retryWaitLimit,
  minSpeed: settings.minSpeed,
  minSpeedWindow: settings.minSpeedWindow,
  clientTimeout: settings.clientTimeout,
  sizeLimit: settings.sizeLimit,
  savePartial: settings.savePartial,
  saveAbandoned: settings.saveAbandoned,
  hedge: settings.hedge === 'on',
});

/** The memory of sources, which follows the settings if they change. */
export const healthOf = (settings: Settings, scheduler?: SchedulerLike): Health =>
  createHealth({
    get cooldown() {
      return settings.cooldown;
    },
    get cooldownLimit() {
      return settings.cooldownLimit;
    },
    random: Math.random,
    ...(scheduler && { scheduler }),
  });

/** Seconds for which files of an earlier revision stay: caches may keep for as long what leads to them. */
export const graceOf = ({ cacheTimeout, metadataMaxAge }: Settings): number =>
  Math.max(cacheTimeout, metadataMaxAge) / 1000;

/** What the process that reads metadata may take. */
export const readerLimitsOf = ({ metadataMemory, metadataTimeout }: Settings): Limits =>
  limitsOf(metadataMemory, metadataTimeout);

/** How folders are answered. */
export const foldersOf = ({ indexNames, listings }: Settings): FolderPolicy => ({ indexNames, listings });

/**
 * Milliseconds that a request waits for a place at its source: less than half of the time that an
 * attempt gets. A full source is not one that is silent, and another one may still deliver in time.
 */
export const placeTimeoutOf = ({
  headTimeout,
  answerTimeout,
}: Pick<Settings, 'headTimeout' | 'answerTimeout'>): number => 0.45 * Math.min(headTimeout, answerTimeout);

/** Pulp's own folders, unless others are listed. Its certificates and keys are not in them. */
const fileRootsOf = ({ fileRoots, storageDir }: Settings): readonly string[] =>
  fileRoots.length > 0 ? fileRoots : ['content', 'published'].map((folder) => join(storageDir, folder));

/** The part of the settings that opening feeds and disks follows. */
export const sourceSettingsOf = (settings: Settings): SourceSettings => ({
  userAgent: `pulp-streamer/${version}`,
  maxRedirects: settings.maxRedirects,
  connectTimeout: settings.connectTimeout,
  idleTimeout: settings.idleTimeout,
  connections: settings.maxConnections,
  placeTimeout: placeTimeoutOf(settings),
  fileRoots: fileRootsOf(settings),
  networks: settings.feedNetworks,
  traced: new Set(settings.traceFeeds),
  tlsLevels: new Map(Object.entries(settings.feedTlsLevels)),
});

/** Opens feeds and disks as the settings describe. With `lends`, chunks are lent: see `Chunk`. */
export const sourcesOf = (settings: Settings, options: { readonly lends?: boolean } = {}): Sources =>
  createSources(sourceSettingsOf(settings), options);

/** What a custom pipeline takes from the daemon: see `createDefaults`. */
export interface Defaults
  extends Pick<LazyFetchDeps, 'open' | 'newDigest' | 'policy' | 'random'>,
    Required<Pick<LazyFetchDeps, 'health' | 'sharing'>>,
    AsyncDisposable {
  /** Closes all connections; running transfers fail. */
  close(): Promise<void>;
}

/**
 * Dependencies of a custom pipeline, except for a catalog and its sources. Throws a ConfigError if
 * an option is not valid. Call `close()` when done, or declare it with `await using`.
 */
export const createDefaults = (options: EmbeddedOptions = {}): Defaults => {
  const settings = settingsOf(options);
  const { open, close: closeSources } = sourcesOf(settings);
  const { coalesceWindow: window, coalesceMemory: memory, finishBelow } = settings;
  const sharing = createSharing({ window, memory, finishBelow, scheduler: steadyClock });
  const close = async () => {
    sharing.close();
    await closeSources();
  };
  return {
    ...{ open, newDigest, policy: policyOf(settings), random: Math.random },
    ...{ health: healthOf(settings), sharing },
    ...{ close, [Symbol.asyncDispose]: close },
  };
};
