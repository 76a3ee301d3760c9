import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openSqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import { type Bench, expecting, type Scenario, SMALL } from '../bench.ts';
import { digestOf } from '../content.ts';
import { type Contender, hold, percentile } from '../contest.ts';
import { type Daemon, startDaemon } from '../daemon.ts';
import { downloadAll } from '../load.ts';
import type { Asked } from '../relay.ts';
import { makeRepository, packages } from '../yum.ts';

/** A catalog of small files, and of repositories that are read when a client first asks for them. */
const fillCatalog = (file: string, feed: string, names: readonly string[], bases: readonly string[]): void => {
  const catalog = openSqliteCatalog(file);
  const importerId = catalog.importers.add({ config: {} }).id;
  const staging = catalog.entries.stage();
  staging.write(
    names.map((name) => ({
      ...{ path: `/${name}`, importerId, unitId: name, unitTypeId: 'rpm', revision: 1, data: {} },
      ...{ url: `${feed}/${name}`, size: SMALL, checksum: { algorithm: 'sha256', value: digestOf(name) } as const },
    })),
  );
  staging.publishAsIs();
  const unknown = { selection: {}, strict: false, packages: 0, metadata: 0, succeeded: 0, attempted: 0 };
  for (const [number, base] of bases.entries())
    catalog.repositories.save({ prefix: `/r${number}`, importerId, format: 'yum', base, follows: true, ...unknown });
  catalog.close();
};

/** How long clients wait for small files while the daemon reads the metadata of a large repository. */
export const meanwhile: Scenario = async (bench) => {
  const { sizes, origin } = bench;
  const rounds = sizes.rounds + 1;
  const folder = bench.folder('meanwhile');
  const repository = join(folder, 'repository');
  await makeRepository(repository, packages(sizes.packages));
  const count = 2 * rounds * sizes.latencies;
  const names = Array.from({ length: count + sizes.warmUp }, (_, number) => `${SMALL}-meanwhile-${number}`);
  const catalog = join(folder, 'catalog.db');
  const base = `${pathToFileURL(repository).href}/`;
  fillCatalog(catalog, origin.http, names, Array<string>(rounds).fill(base));
  const daemon = await startDaemon(bench, folder, catalog, ['--dispatch', 'none', '--answer-timeout', '600']);
  try {
    let next = 0;
    const files = (count: number): readonly Asked[] => {
      next += count;
      return names.slice(next - count, next).map((name) => ({ name, url: `${daemon.url}/${name}` }));
    };
    const wait = async (): Promise<number> =>
      percentile(await expecting(bench, sizes.latencies, () => downloadAll(files(sizes.latencies), 1)), 99);
    await downloadAll(files(sizes.warmUp), 1);
    let round = 0;
    let reading = false;
    let endedFirst = false;
    const own: readonly Contender[] = [
      { id: 'idle', name: 'while it does nothing else', run: wait },
      {
        id: 'meanwhile',
        ours: true,
        name: `while it reads a yum repository of ${sizes.packages.toLocaleString('en')} packages`,
        run: async () => {
          const prefix = `/r${round++}`;
          const read = learned(bench, daemon, prefix, catalog).finally(() => {
            reading = false;
          });
          reading = true;
          const took = await wait();
          endedFirst ||= !reading;
          await read;
          return took;
        },
        also: () => (endedFirst ? 'in some round it had read all before the last request' : undefined),
      },
    ];
    return [
      await hold({
        title: '4 KiB from a feed, one client: 99 of 100 requests are answered within',
        unit: 'ms',
        rounds: sizes.rounds,
        contenders: own,
      }),
    ];
  } finally {
    await daemon.stop();
  }
};

/** Asks for a repository. Resolves once all of its packages are in the catalog. */
const learned = async ({ sizes }: Bench, { url, agent }: Daemon, prefix: string, file: string): Promise<void> => {
  const ask = async (): Promise<number | undefined> => {
    const [response] = (await once(get(`${url}${prefix}/repodata/repomd.xml`, { agent }), 'response')) as [
      IncomingMessage,
    ];
    for await (const _ of response);
    return response.statusCode;
  };
  const status = await ask();
  if (status !== 200) throw new Error(`${prefix}: ${status}, expected 200`);
  const catalog = openSqliteCatalog(file);
  try {
    const found = catalog.repositories.list().find((one) => one.prefix === prefix)?.packages;
    if (found !== sizes.packages) throw new Error(`${prefix}: ${found} packages, expected ${sizes.packages}`);
  } finally {
    catalog.close();
  }
};
