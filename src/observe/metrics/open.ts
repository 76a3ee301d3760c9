import { type Metric, type OpenMetricsContentType, Registry } from 'prom-client';
import { Subject } from 'rxjs';
import type { FinishedRequest } from '../../lib/finished-request.ts';
import { Gathered } from '../../lib/gathered.ts';
import { attemptMetrics } from './attempts.ts';
import { eventLoopMetrics } from './event-loop.ts';
import { familiesIn } from './families.ts';
import { feedMetrics } from './feeds.ts';
import { loadMetrics } from './load.ts';
import type { MetricJson } from './merged.ts';
import { prefersOpenMetrics } from './prefers-open-metrics.ts';
import { processRegistry } from './process.ts';
import { refreshMetrics } from './refreshes.ts';
import { requestMetrics } from './requests.ts';
import { saveMetrics } from './saves.ts';
import type { MetricsSources } from './sources.ts';
import { warmMetrics } from './warming.ts';

export interface Metrics {
  /** All metrics as text, in the format that an `Accept` header prefers, and its media type. */
  scrape(accept: string): Promise<{ readonly type: string; readonly text: string }>;
  /** All metrics as values, for the process that merges them. */
  json(): Promise<readonly MetricJson[]>;
  /** Every metric, in the order of the text. */
  readonly all: readonly Metric[];
  /** Stops observing. */
  close(): void;
}

/** Observes the daemon from now on. */
export const openMetrics = (given: MetricsSources): Metrics => {
  const finished = new Subject<FinishedRequest>();
  const gathered = new Gathered<FinishedRequest>((one) => finished.next(one));
  const sources = { ...given, finished };
  const own = new Registry();
  const families = familiesIn(own, (metric) => unreadable.add(1, metric));
  loadMetrics(families, sources);
  warmMetrics(families, sources);
  const observing = eventLoopMetrics(families);
  for (const observe of [requestMetrics, attemptMetrics, feedMetrics, saveMetrics, refreshMetrics])
    observing.add(observe(families, sources));
  observing.add(given.finished.subscribe(gathered.add));
  const unreadable = families.counter({
    name: 'unreadable_metrics_total',
    help: 'Metrics that could not be read for a scrape, by name without prefix: the outbox or the catalog fails',
    labels: ['metric'],
  });
  const text = Registry.merge([own, processRegistry()]);
  const all = text.getMetricsAsArray() as unknown as Metric[];
  const inOpenMetrics = openMetricsOf(all);

  return {
    scrape: async (accept) => {
      gathered.flush();
      const registry = prefersOpenMetrics(accept) ? inOpenMetrics : text;
      return { type: registry.contentType, text: await registry.metrics() };
    },
    json: () => {
      gathered.flush();
      return text.getMetricsAsJSON();
    },
    all,
    close: () => observing.unsubscribe(),
  };
};

/**
 * A second registry over the same values. It renames the counters that it has, so each of its
 * metrics is an object of its own, with the other's values behind it.
 */
const openMetricsOf = (metrics: readonly Metric[]): Registry<OpenMetricsContentType> => {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const metric of metrics) registry.registerMetric(Object.create(metric));
  return registry;
};
