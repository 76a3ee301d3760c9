import { collectDefaultMetrics, Registry } from 'prom-client';

/**
 * Gauges that are named like counters: `promtool check metrics` objects. Their figures are also in
 * `nodejs_active_…`, by type.
 */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

let made: Registry | undefined;

/**
 * CPU, memory, open files, delay of the event loop and collections of garbage of this process. Made
 * once: a process has one event loop, and watching it cannot be ended.
 */
export const processRegistry = (): Registry => {
  if (made) return made;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  made = registry;
  return registry;
};
