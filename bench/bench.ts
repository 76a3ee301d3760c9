import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from './contest.ts';
import { downloadAll } from './load.ts';
import type { Cores } from './machine.ts';
import type { Origin } from './origin.ts';
import type { Route } from './relay.ts';
import { type Relays, startRelays } from './relays.ts';
import type { Sizes } from './sizes.ts';

/** Bytes of a small file. */
export const SMALL = 4096;
/** Bytes of the smallest file. */
export const TINY = 100;
/** Clients that request small files at the same time. */
export const CLIENTS = 8;
/** Different small files on disk. */
const ON_DISK = 1_000;

/** What scenarios share. */
export interface Bench {
  readonly sizes: Sizes;
  readonly cores: Cores | undefined;
  /** The product’s script: as it is built, or in tests its source. */
  readonly main: string;
  readonly origin: Origin;
  /** Where the origin reads `repodata` from. */
  readonly originFolder: string;
  /** All relays, warm. They are started for the first scenario that needs them. */
  relays(): Promise<Relays>;
  /** A new, empty folder. */
  folder(name: string): string;
}

/** Measures one subject. Rejects if a body or the number of requests at the origin is wrong. */
export type Scenario = (bench: Bench) => Promise<readonly Result[]>;

/** Runs work that must cause exactly N requests at the origin, each for another path. */
export const expecting = async <T>(
  { origin }: Pick<Bench, 'origin'>,
  requests: number,
  work: () => Promise<T>,
): Promise<T> => {
  const before = await origin.counts();
  const result = await work();
  const after = await origin.counts();
  const [repeated] = after.repeated.slice(before.repeated.length);
  if (repeated !== undefined) throw new Error(`the origin was asked for ${repeated} twice`);
  const caused = after.requests - before.requests;
  if (caused !== requests) throw new Error(`${caused} requests at the origin, expected ${requests}`);
  return result;
};

/** Relays that have answered `warmUp` small requests each. */
export const startWarm = async (
  bench: Pick<Bench, 'sizes' | 'cores' | 'main' | 'origin' | 'folder'>,
): Promise<Relays> => {
  const { sizes, cores, main, origin } = bench;
  const { bytes, warmUp, requests, latencies, pipelined, clients, clientBytes } = sizes;
  const rounds = sizes.rounds + 1;
  const supply = (route: Route, size: number, count: number) => ({ route, size, count });
  const relays = await startRelays({
    ...{ folder: bench.folder('relays'), origin, core: cores?.contender, main },
    supplies: [
      supply('http', bytes, 2 * rounds),
      supply('verified', bytes, rounds),
      supply('https', bytes, rounds),
      supply('file', bytes, rounds),
      supply('kept', bytes, 1),
      supply('http', clientBytes, rounds * clients),
      supply('verified', SMALL, warmUp + rounds * (2 * requests + latencies)),
      supply('verified', TINY, rounds * pipelined),
      supply('file', SMALL, rounds * requests),
      supply('kept', SMALL, warmUp + rounds * requests),
    ],
    disk: new Map([
      [bytes, 1],
      [SMALL, Math.min(requests, ON_DISK)],
    ]),
  });
  try {
    const routes = [
      ...relays.peers.map((relay) => ({ relay, route: 'http' as const })),
      { relay: relays.streamer, route: 'verified' as const },
      { relay: relays.keeping, route: 'kept' as const },
    ];
    for (const { relay, route } of routes)
      await expecting(bench, warmUp, () =>
        downloadAll(
          Array.from({ length: warmUp }, () => relay.fresh(route, SMALL)),
          CLIENTS,
        ),
      );
    return relays;
  } catch (error) {
    await relays.stop();
    throw error;
  }
};

/** Makes folders below one that exists. */
export const foldersIn = (parent: string): ((name: string) => string) => {
  let made = 0;
  return (name) => {
    const folder = join(parent, `${made++}-${name}`);
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  };
};
