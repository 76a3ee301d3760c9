import { availableParallelism } from 'node:os';
import { ConfigError } from '../../config/config-error.ts';
import { keyOf, type Settings } from '../../config/schema.ts';
import { canHoldSockets } from '../../http/held-sockets.ts';

/** Limits that all workers keep together, of which each keeps its part. 0 means unlimited. */
const DIVIDED = [
  'maxClientConnections',
  'maxTransfers',
  'maxTransfersPerClient',
  'maxConnections',
  'maxMisses',
  'coalesceMemory',
  'spillLimit',
] as const;

/** The processes that answer requests. */
export const workersOf = ({ workers }: Pick<Settings, 'workers'>): number =>
  workers === 'auto' ? Math.min(64, availableParallelism()) : workers;

/**
 * The settings of one of `count` workers: the parts of all together are the limits of the settings.
 */
export const shareOf = (settings: Settings, index: number, count: number): Settings => {
  // Never 0, which is no limit, also after a reload of what only a restart permits.
  const part = (limit: number) =>
    limit === 0 ? 0 : Math.max(1, Math.floor(limit / count) + (index < limit % count ? 1 : 0));
  return { ...settings, ...Object.fromEntries(DIVIDED.map((name) => [name, part(settings[name])])) };
};

/** Throws a ConfigError if the settings are not for several workers. */
export const checkWorkers = (settings: Settings): void => {
  const count = workersOf(settings);
  if (count === 1) return;
  if (!canHoldSockets)
    throw new ConfigError([
      `workers: expected 1, since Node ${process.version} runs; several need 24.19 or later of 24, or 26.4 or later`,
    ]);
  const problems = DIVIDED.filter((name) => settings[name] > 0 && settings[name] < count).map(
    (name) => `${keyOf(name)}: expected at least ${count}, one for each of the workers; found ${settings[name]}`,
  );
  if (problems.length > 0) throw new ConfigError(problems);
};
