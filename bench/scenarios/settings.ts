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
}

/**
 * CPU time of small files with different settings. `cpu`: of a daemon, by the id of its process.
 */
export const compareSettings = async (
  bench: Bench,
  title: string,
  contenders: readonly Configured[],
  cpu: (pid: number) => number = cpuOf,
): Promise<Result> => {
  const { sizes } = bench;
  const daemons: Daemon[] = [];

  const serving = async ({ settings, ...own }: Configured): Promise<Contender> => {
    const folder = bench.folder(own.id);
    const catalog = join(folder, 'catalog.db');
    fillCatalog(catalog, bench, own.id, sizes.warmUp + (sizes.rounds + 1) * sizes.requests);
    const daemon = await startDaemon(bench, folder, catalog, ['--dispatch', 'none', ...settings]);
    daemons.push(daemon);
    let next = 0;
    const ask = (count: number) =>
      expecting(bench, count, () =>
        downloadAll(
          Array.from({ length: count }, () => {
            const name = nameOf(own.id, next++);
            return { name, url: `${daemon.url}/${name}` };
          }),
          CLIENTS,
        ),
      );
    await ask(sizes.warmUp);
    return {
      ...own,
      run: async () => {
        const before = cpu(daemon.pid);
        await ask(sizes.requests);
        return (1e6 * (cpu(daemon.pid) - before)) / sizes.requests;
      },
    };
  };

  try {
    const warm: Contender[] = [];
    for (const one of contenders) warm.push(await serving(one));
    return await hold({
      title: `4 KiB from a feed, ${CLIENTS} clients, each path once, ${title}`,
      unit: 'CPU µs',
      rounds: sizes.rounds,
      contenders: warm,
    });
  } finally {
    for (const daemon of daemons) await daemon.stop();
  }
};
