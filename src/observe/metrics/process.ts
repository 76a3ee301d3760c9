import { collectDefaultMetrics, Registry } from 'prom-client';

/**
 * Gauges that are named like counters: `promtool check metrics` objects. Their figures are also in
 * `nodejs_active_…`, by type.
 */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

let made: Registry | undefined;

/** Figures of the delay that `event-loop.ts` measures at a lower cost. */
const LAG = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map((part) => `nodejs_eventloop_lag_${part}_seconds`);
/** Milliseconds between its samples, which cannot be switched off: an hour. */
const HARDLY_EVER = 3_600_000;

/**
 * CPU, memory, open files and collections of garbage of this process. Made once: a process has one,
 * and watching it cannot be ended.
 */
export const processRegistry = (): Registry => {
  if (made) return made;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: HARDLY_EVER });
  for (const name of [...MISNAMED, ...LAG]) registry.removeSingleMetric(name);
  made = registry;
  return registry;
};
