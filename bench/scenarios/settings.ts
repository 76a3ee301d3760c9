import { join } from 'node:path';
import { openSqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import { type Bench, CLIENTS, expecting, SMALL } from '../bench.ts';
import { digestOf } from '../content.ts';
import { type Contender, hold, type Result } from '../contest.ts';
import { type Daemon, startDaemon } from '../daemon.ts';
import { downloadAll } from '../load.ts';
import { cpuOf } from '../machine.ts';

const nameOf = (id: string, number: number): string => `${SMALL}-${id}-${number}`;

/** Catalogs so many small files of the feed, with their checksums. */
const fillCatalog = (file: string, { origin }: Bench, id: string, count: number): void => {
  const catalog = openSqliteCatalog(file);
  const importerId = catalog.importers.add({ config: {} }).id;
  const staging = catalog.entries.stage();
  staging.write(
    Array.from({ length: count }, (_, number) => {
      const name = nameOf(id, number);
      return {
        ...{ path: `/${name}`, importerId, unitId: name, unitTypeId: 'rpm', revision: 1, data: {}, size: SMALL },
        url: `${origin.http}/${name}`,
        checksum: { algorithm: 'sha256', value: digestOf(name) } as const,
      };
    }),
  );
  staging.publishAsIs();
  catalog.close();
};

interface Configured extends Omit<Contender, 'run'> {
  readonly settings: readonly string[];
  /** Further ones, of each daemon for itself. */
  readonly own?: () => Promise<readonly string[]>;
}

/** A daemon with the files that it is asked for. */
interface Serving {
  /** Asks for so many further files. */
  ask(count: number): Promise<unknown>;
  /** Microseconds of CPU time that one takes. */
  cost(): Promise<number>;
}

/**
 * The daemons warm up in so many turns. After two minutes without a request, the next 1,500 cost up to three times as
 * much, so none may wait for long while others warm up.
 */
const TURNS = 4;

interface Options {
  /** Seconds of CPU time of a daemon, by the id of its process. Default: those of that process. */
  readonly cpu?: (pid: number) => number;
  /** Daemons with the same settings, which take turns: two of them may differ by a tenth. Default: 1. */
  readonly processes?: number;
}

/** CPU time of small files with different settings. */
export const compareSettings = async (
  bench: Bench,
  title: string,
  contenders: readonly Configured[],
  { cpu = cpuOf, processes = 1 }: Options = {},
): Promise<Result> => {
  const { sizes } = bench;
  const daemons: Daemon[] = [];

  const serving = async (settings: readonly string[], id: string): Promise<Serving> => {
    const folder = bench.folder(id);
    const catalog = join(folder, 'catalog.db');
    fillCatalog(catalog, bench, id, sizes.warmUp + TURNS + (sizes.rounds + 1) * sizes.requests);
    const daemon = await startDaemon(bench, folder, catalog, ['--dispatch', 'none', ...settings]);
    daemons.push(daemon);
    let next = 0;
    const ask = (count: number) =>
      expecting(bench, count, () =>
        downloadAll(
          Array.from({ length: count }, () => {
            const name = nameOf(id, next++);
            return { name, url: `${daemon.url}/${name}` };
          }),
          CLIENTS,
        ),
      );
    const cost = async () => {
      const before = cpu(daemon.pid);
      await ask(sizes.requests);
      return (1e6 * (cpu(daemon.pid) - before)) / sizes.requests;
    };
    return { ask, cost };
  };

  try {
    const groups: { readonly contender: Omit<Contender, 'run'>; readonly all: readonly Serving[] }[] = [];
    for (const { settings, own = async () => [], ...contender } of contenders) {
      const all: Serving[] = [];
      for (let number = 1; number <= processes; number += 1)
        all.push(await serving([...settings, ...(await own())], `${contender.id}-${number}`));
      groups.push({ contender, all });
    }
    for (let turn = 0; turn < TURNS; turn += 1)
      for (const { all } of groups) for (const { ask } of all) await ask(Math.ceil(sizes.warmUp / TURNS));
    return await hold({
      title: `4 KiB from a feed, ${CLIENTS} clients, each path once, ${title}`,
      unit: 'CPU µs',
      rounds: sizes.rounds * processes,
      contenders: groups.map(({ contender, all }) => {
        let turn = 0;
        return { ...contender, run: async () => all[turn++ % processes]?.cost() ?? Number.NaN };
      }),
    });
  } finally {
    for (const daemon of daemons) await daemon.stop();
  }
};
