import {
  AggregatorRegistry,
  type MetricObjectWithValues,
  type MetricValue,
  type OpenMetricsContentType,
  type PrometheusContentType,
  Registry,
} from 'prom-client';
import { prefersOpenMetrics } from './prefers-open-metrics.ts';

/** One metric with its values. */
export type MetricJson = MetricObjectWithValues<MetricValue<string>>;

type Processes = readonly (readonly MetricJson[])[];

/** The library's own list of types is an enumeration, its values are words. */
const isOf = ({ type }: MetricJson, ...types: readonly string[]): boolean => types.includes(String(type));

/** What only grows. */
export const countsOf = (metrics: readonly MetricJson[]): readonly MetricJson[] =>
  metrics.filter((metric) => isOf(metric, 'counter', 'histogram'));

/** Parts of a unit, of seconds for example. */
const PARTS = 2 ** 20;

/**
 * A count whose sums are exact, in whatever order processes are added up. Otherwise a sum could fall
 * by its last digit, which a monitor takes for a new start, and counts all of it once more.
 */
const exact = (metric: MetricJson): MetricJson =>
  isOf(metric, 'counter', 'histogram')
    ? { ...metric, values: metric.values.map((one) => ({ ...one, value: Math.round(one.value * PARTS) / PARTS })) }
    : metric;

const merge = (processes: Processes): Registry<PrometheusContentType | OpenMetricsContentType> =>
  AggregatorRegistry.aggregate(processes.map((metrics) => metrics.map(exact)));

/** The metrics of several processes as those of one. */
export const summed = async (processes: Processes): Promise<readonly MetricJson[]> =>
  merge(processes).getMetricsAsJSON();

/** The metrics of several processes as one text, in the format that an `Accept` header prefers. */
export const mergedMetrics = async (
  processes: Processes,
  accept: string,
): Promise<{ readonly type: string; readonly text: string }> => {
  const open = prefersOpenMetrics(accept);
  // The library adds the suffix again.
  const bare = (metric: MetricJson) =>
    open && isOf(metric, 'counter') ? { ...metric, name: metric.name.replace(/_total$/, '') } : metric;
  const registry = merge(processes.map((metrics) => metrics.map(bare)));
  if (open) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  return { type: registry.contentType, text: await registry.metrics() };
};
