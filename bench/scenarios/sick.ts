import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { openSqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import { CLIENTS, type Scenario } from '../bench.ts';
import { type Contender, hold } from '../contest.ts';
import { type Daemon, startDaemon } from '../daemon.ts';
import { cpuOf } from '../machine.ts';

const FEW = 3;

/** A port of the whole loopback network that refuses connections. */
const refusingPort = async (): Promise<number> => {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

/** Catalogs one file at each of these sources. Each address is a source. */
const fillCatalog = (file: string, sources: number, port: number): void => {
  const catalog = openSqliteCatalog(file);
  const importerId = catalog.importers.add({ config: {} }).id;
  const staging = catalog.entries.stage();
  staging.write(
    Array.from({ length: sources }, (_, number) => ({
      ...{ path: `/${number}`, importerId, unitId: `unit-${number}`, unitTypeId: 'rpm', revision: 1, data: {} },
      url: `http://127.1.${number >> 8}.${number & 0xff}:${port}/${number}`,
    })),
  );
  staging.publishAsIs();
  catalog.close();
};

const fail = async ({ url, agent }: Daemon, path: string): Promise<void> => {
  const [response] = (await once(get(url + path, { agent }), 'response')) as [IncomingMessage];
  for await (const _ of response);
  if (response.statusCode !== 502) throw new Error(`${path}: ${response.statusCode}, expected 502`);
};

/** What a failing request costs among many sources that fail, and among few. */
export const sick: Scenario = async (bench) => {
  const { sizes } = bench;
  const daemons: Daemon[] = [];
  const port = await refusingPort();

  const failing = async (sources: number, own: Pick<Contender, 'id' | 'ours'>): Promise<Contender> => {
    const folder = bench.folder(own.id);
    const catalog = join(folder, 'catalog.db');
    fillCatalog(catalog, sources, port);
    // Pauses between attempts would only take time.
    const daemon = await startDaemon(bench, folder, catalog, ['--attempts', '1', '--dispatch', 'none']);
    daemons.push(daemon);
    let next = 0;
    const run = async (requests: number): Promise<void> => {
      const until = next + requests;
      const client = async () => {
        while (next < until) {
          next += 1;
          await fail(daemon, `/${next % sources}`);
        }
      };
      await Promise.all(Array.from({ length: CLIENTS }, client));
    };
    // Each source has failed before anything is measured.
    await run(Math.max(sources, sizes.warmUp));
    return {
      ...own,
      name: `${sources.toLocaleString('en')} such sources`,
      run: async () => {
        const before = cpuOf(daemon.pid);
        await run(sizes.requests);
        return (1e6 * (cpuOf(daemon.pid) - before)) / sizes.requests;
      },
    };
  };

  try {
    return [
      await hold({
        title: 'A request that fails, because its source refuses connections',
        unit: 'CPU µs',
        rounds: sizes.rounds,
        contenders: [
          await failing(FEW, { id: 'few' }),
          await failing(Math.ceil(sizes.sick / 10), { id: 'tenth' }),
          await failing(sizes.sick, { id: 'sick', ours: true }),
        ],
      }),
    ];
  } finally {
    for (const daemon of daemons) await daemon.stop();
  }
};
