import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { foldersIn, type Scenario, startWarm } from './bench.ts';
import type { Result } from './contest.ts';
import { type Cores, moveTo } from './machine.ts';
import { startOrigin } from './origin.ts';
import type { Relays } from './relays.ts';
import type { Sizes } from './sizes.ts';

export interface Options {
  readonly scenarios: Readonly<Record<string, Scenario>>;
  readonly sizes: Sizes;
  /** Undefined: processes run on any core. */
  readonly cores: Cores | undefined;
  /** The product’s script. */
  readonly main: string;
  /** Called before each scenario. */
  readonly begun?: (name: string) => void;
  /** Called after each scenario, so that a later one that fails loses nothing. */
  readonly measured?: (name: string, results: readonly Result[]) => void;
}

/** Results by scenario. */
export type Results = Readonly<Record<string, readonly Result[]>>;

/** Measures scenarios, one after the other. Rejects if a result is wrong. Nothing is left running. */
export const measure = async ({ scenarios, begun, measured, ...options }: Options): Promise<Results> => {
  if (options.cores) moveTo(options.cores.load);
  const parent = mkdtempSync(join(tmpdir(), 'pulp-streamer-bench-'));
  // Squid’s user reaches its own folder through this one.
  chmodSync(parent, 0o755);
  const folder = foldersIn(parent);
  const originFolder = folder('origin');
  const origin = await startOrigin(originFolder, options.cores?.origin);
  let relays: Promise<Relays> | undefined;
  try {
    const own = { ...options, origin, originFolder, folder };
    const bench = {
      ...own,
      relays: () => {
        relays ??= startWarm(own);
        return relays;
      },
    };
    const all: Record<string, readonly Result[]> = {};
    for (const [name, scenario] of Object.entries(scenarios)) {
      begun?.(name);
      const results = await scenario(bench);
      all[name] = results;
      measured?.(name, results);
    }
    return all;
  } finally {
    const running = await relays?.catch(() => undefined);
    await running?.stop();
    await origin.stop();
    rmSync(parent, { recursive: true });
  }
};
