import type { Observable } from 'rxjs';
import type { Settings } from '../config/schema.ts';
import type { Limits } from '../http/limits.ts';
import type { Load } from '../http/server.ts';
import type { FinishedRequest } from '../lib/finished-request.ts';
import { bufferBytes } from '../lib/lent-buffers.ts';
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
  readonly load: () => Load;
  readonly limits: Limits;
  readonly ready: () => boolean;
  readonly fetched: Live['fetched'];
}

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
    // Metadata of repositories is fetched by processes of their own.
    fetched: () =>
      [...fetched()].map(([kind, bytes]) => [kind, kind === 'metadata' ? bytes + streamer.usage.imported() : bytes]),
    outbox: streamer.outbox,
    repositories: latest(() => streamer.usage.repositories?.() ?? []),
    degraded: streamer.degraded,
    now: Date.now,
  });
