import type { Logger } from 'pino';
import { merge } from 'rxjs';
import type { Dispatch } from '../../pipelines/index.ts';
import type { Settings } from '../config/schema.ts';
import type { HttpServer } from '../http/listeners.ts';
import type { Load } from '../http/server.ts';
import type { Metrics } from '../observe/metrics/open.ts';
import type { DaemonTracing } from './daemon-tracing.ts';
import type { DaemonParts } from './metrics.ts';
import { createRequestServer, type RequestServerParts } from './request-server.ts';
import type { StreamerOptions } from './streamer-options.ts';
import type { Workers } from './workers/master.ts';
import { checkWorkers, workersOf } from './workers/shares.ts';

/** What answers the requests of clients: this process, or several others. */
export interface Answering {
  readonly server: Pick<HttpServer, 'listen' | 'drain' | 'idle' | 'stop'> & { load(): Load | Promise<Load> };
  /** Applies settings that a reload has changed. */
  renew(): void | Promise<void>;
  /** Measures from now on. */
  measure(more: Pick<DaemonParts, 'ready' | 'fetched'>): Promise<Pick<Metrics, 'scrape' | 'close'>>;
}

type Parts = Omit<RequestServerParts, 'settings' | 'logger'>;

/** Before there is a streamer. */
interface Prepared {
  readonly workers?: Workers;
  /** What the streamer needs to know. */
  readonly options: Pick<StreamerOptions, 'around' | 'noted' | 'elsewhere' | 'places' | 'family'>;
  open(parts: Parts): Answering;
}

/**
 * Prepares what answers requests. The code of workers is loaded only if there are some. Throws a
 * ConfigError if the settings are not for that number.
 */
export const prepareAnswering = async (
  settings: Settings,
  logger: Logger,
  tracing: DaemonTracing,
): Promise<Prepared> => {
  const around = tracing.delivering;
  const count = workersOf(settings);
  checkWorkers(settings);
  if (count === 1) return { options: { around }, open: (parts) => alone({ ...parts, settings, logger }) };
  const { createWorkers } = await import('./workers/master.ts');
  const workers = createWorkers({ settings, count, logger });
  const saving = (dispatch: Dispatch) => (settings.dispatch === 'save' ? workers.saving(dispatch) : dispatch);
  return {
    workers,
    options: {
      around: (dispatch) => around(saving(dispatch)),
      ...{ noted: workers.noted, elsewhere: workers.refreshes },
      ...{ places: workers.places, family: workers.family },
    },
    open: (parts) => together(settings, workers, parts),
  };
};

/** Nothing of metrics is loaded unless there is a listener to ask. */
const loadMetrics = () => import('./metrics.ts');

const alone = (parts: RequestServerParts): Answering => {
  const { server, limits, renew } = createRequestServer(parts);
  const { settings, streamer, finished } = parts;
  return {
    ...{ server, renew },
    measure: async (more) =>
      (await loadMetrics()).daemonMetrics({ settings, streamer, finished, load: server.load, limits, ...more }),
  };
};

const together = (settings: Settings, workers: Workers, { streamer }: Parts): Answering => {
  return {
    server: workers,
    renew: workers.renew,
    measure: async (more) => {
      workers.measure();
      const refreshes = merge(streamer.refreshes, workers.refreshes);
      const { togetherMetrics } = await loadMetrics();
      return togetherMetrics({ settings, streamer: { ...streamer, refreshes }, ...more }, workers.metrics);
    },
  };
};
