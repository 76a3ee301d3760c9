import type { Metric } from 'prom-client';
import { NEVER } from 'rxjs';
import { openMetrics } from './open.ts';
import type { MetricsSources } from './sources.ts';

/** docs/reference/metrics.md: every metric of the registry. */
export const metricsDocs = async (): Promise<string> => {
  const metrics = openMetrics(NOTHING);
  const rows = await Promise.all(metrics.all.map(rowOf));
  metrics.close();
  return [
    '<!-- Generated from src/observe/metrics/ by `npm run docs`; edit the files there instead. -->',
    '',
    '# Metrics',
    '',
    'Served at `/metrics` of [`admin_port`](configuration.md#admin_port), in the text format of Prometheus or, if `Accept` prefers it, in',
    'OpenMetrics. [Monitor](../how-to/monitor.md) has a dashboard, alerts, and what to do about each.',
    '',
    'Labels have a bounded number of values: they name no path and no client. The first sources and repositories have labels of their own; further',
    'ones share `other`. Counters begin at 0 when the daemon starts.',
    '',
    '| metric | type | labels | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
};

const rowOf = async (metric: Metric): Promise<string> => {
  const { name, help, type } = await metric.get();
  const labels: readonly string[] = Reflect.get(metric, 'labelNames');
  const named = labels.map((label) => `\`${label}\``).join(', ');
  return `| \`${name}\` | ${type} | ${named} | ${help.replace(/\.$/, '').replaceAll('|', '\\|')} |`;
};

/** A daemon in which nothing happens. */
const NOTHING: MetricsSources = {
  version: '',
  finished: NEVER,
  deliveries: NEVER,
  refreshes: NEVER,
  cooldowns: { changes: NEVER, unhealthy: () => [] },
  load: () => ({ connections: 0, transfers: 0, clients: 0, paused: 0 }),
  limits: { transfers: 0, connections: 0 },
  usage: {
    connections: () => [],
    certificates: () => [],
    copiesLimit: 0,
    spilled: () => 0,
    buffers: () => ({ lent: 0, unused: 0 }),
  },
  fetched: () => [],
  repositories: () => [],
  ready: () => false,
  degraded: () => [],
  now: Date.now,
};
