import { EMPTY, type Observable } from 'rxjs';
import type { Settings } from '../config/schema.ts';
import type { Limits } from '../http/limits.ts';
import type { Load } from '../http/server.ts';
import type { FinishedRequest } from '../lib/finished-request.ts';
import { bufferBytes } from '../lib/lent-buffers.ts';
import { countsOf, type MetricJson, mergedMetrics, summed } from '../observe/metrics/merged.ts';
import { type Metrics, openMetrics } from '../observe/metrics/open.ts';
import { latest } from './latest.ts';
import type { Live } from './live.ts';
import { saveLimitOf } from './save-limit.ts';
import type { OpenStreamer } from './streamer.ts';
import { version } from './version.ts';

export interface DaemonParts {
  readonly settings: Settings;
  readonly streamer: OpenStreamer;
  readonly finished: Observable<FinishedRequest>;
  readonly load: () => Pick<Load, 'connections' | 'transfers' | 'clients' | 'paused'>;
  readonly limits: Pick<Limits, 'transfers' | 'connections'>;
  readonly ready: () => boolean;
  readonly fetched: Live['fetched'];
}

/** Metadata of repositories is fetched by processes of their own. */
const withImported = (
  { usage }: OpenStreamer,
  fetched: ReturnType<DaemonParts['fetched']>,
): readonly (readonly [kind: string, bytes: number])[] =>
  [...fetched].map(([kind, bytes]) => [kind, kind === 'metadata' ? bytes + usage.imported() : bytes]);

/** The metrics of a daemon. Only its admin listener needs them, so it alone loads this. */
export const daemonMetrics = ({ settings, streamer, finished, load, limits, ready, fetched }: DaemonParts): Metrics =>
  openMetrics({
    ...{ version, finished, load, limits, ready },
    deliveries: streamer.deliveries,
    refreshes: streamer.refreshes,
    cooldowns: streamer.health,
    usage: {
      ...streamer.usage,
      get copiesLimit() {
        return saveLimitOf(settings);
      },
      buffers: bufferBytes,
    },
    fetched: () => withImported(streamer, fetched()),
    outbox: streamer.outbox,
    warmed: streamer.warming?.figures,
    repositories: latest(() => streamer.usage.repositories?.() ?? []),
    degraded: streamer.degraded,
    now: Date.now,
  });

/**
 * The metrics of a worker: what it does for clients. The daemon has those of saves, refreshes, copies
 * and sources, of which each worker knows the same.
 */
export const workerMetrics = (parts: Omit<DaemonParts, 'settings'>): Metrics => {
  const { streamer, finished, load, limits, ready, fetched } = parts;
  const { connections, certificates, spilled } = streamer.usage;
  return openMetrics({
    ...{ version, finished, load, limits, ready },
    deliveries: EMPTY,
    refreshes: EMPTY,
    cooldowns: { changes: EMPTY, unhealthy: () => [] },
    usage: { connections, certificates, spilled, copiesLimit: 0, buffers: bufferBytes },
    fetched: () => withImported(streamer, fetched()),
    repositories: () => [],
    degraded: streamer.degraded,
    now: Date.now,
  });
};

/** What a daemon has that answers no requests itself. */
const NONE = { connections: 0, transfers: 0, clients: 0, paused: 0 };

/** The metrics of each worker, by the id of its process. */
export type OfWorkers = ReadonlyMap<number, readonly MetricJson[]>;

/**
 * The metrics of a daemon whose workers answer, with those of each worker. What a worker had counted
 * at the last scrape before its end stays counted: a sum that falls would look like a new start.
 */
export const togetherMetrics = (
  parts: Omit<DaemonParts, 'finished' | 'load' | 'limits'>,
  ofWorkers: () => Promise<OfWorkers>,
): Pick<Metrics, 'scrape' | 'close'> => {
  const { json, close } = daemonMetrics({ ...parts, finished: EMPTY, load: () => NONE, limits: NONE });
  let known: OfWorkers = new Map();
  let ended: readonly MetricJson[] = [];
  let last: Promise<unknown> = Promise.resolve();

  const read = async () => {
    const now = await ofWorkers();
    const gone = [...known].flatMap(([process, metrics]) => (now.has(process) ? [] : [countsOf(metrics)]));
    if (gone.length > 0) ended = await summed([ended, ...gone]);
    known = now;
    return [await json(), ended, ...now.values()];
  };
  return {
    scrape: async (accept) => {
      // One after the other: each worker ends once.
      const reading = last.then(read);
      last = reading.catch(() => {});
      return mergedMetrics(await reading, accept);
    },
    close,
  };
};
