import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { openSqliteCatalog } from '../src/catalog/sqlite/catalog.ts';
import type { Bench } from './bench.ts';
import { digestOf, sizeOf } from './content.ts';
import { FAULTS, faultyName } from './faulty-feed.ts';
import { NO_FILE, type ServerProcess, startServer } from './machine.ts';
import { contender } from './relay.ts';
import { sizeOfPackage } from './yum.ts';

const ACNG = 'apt-cacher-ng';

export const hasAcng = (): boolean => spawnSync(ACNG, ['--help']).error === undefined;

/** The proxy of a fleet of clients. */
export interface FleetProxy extends ServerProcess {
  readonly id: string;
  readonly name: string;
}

/** The packages that all clients of a proxy get in one round. */
export const namesOf = ({ sizes }: Bench, id: string, round: number): readonly string[] =>
  Array.from(
    { length: sizes.fleetPackages },
    (_, number) => `${sizeOfPackage(number)}-${id}${round}-${number}_1_all.deb`,
  );

/** apt-cacher-ng neither listens on ports beyond 32,767 nor asks feeds there. */
export const freeLowPort = async (): Promise<number> => {
  const server = createServer();
  const port = 20_000 + Math.floor(12_000 * Math.random());
  server.listen(port, '127.0.0.1');
  const isFree = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  if (!isFree) return freeLowPort();
  server.close();
  await once(server, 'close');
  return port;
};

export const startAcng = async ({ folder, cores }: Bench): Promise<FleetProxy> => {
  const own = folder(ACNG);
  mkdirSync(join(own, 'cache'));
  const server = await startServer(
    (port) => {
      const text = readFileSync(contender('acng.conf'), 'utf8');
      writeFileSync(join(own, 'acng.conf'), text.replaceAll('{{port}}', String(port)).replaceAll('{{folder}}', own));
      return [ACNG, '-c', own];
    },
    { core: cores?.contender, port: await freeLowPort() },
  );
  return { ...server, id: 'acng', name: ACNG };
};

/** The product as shipped: it keeps copies. Its catalog has the packages with their checksums. */
export const startStreamer = async (bench: Bench, feed: string, dying: string, rounds: number): Promise<FleetProxy> => {
  const { folder, cores, main, sizes } = bench;
  const own = folder('fleet');
  const catalog = openSqliteCatalog(join(own, 'catalog.db'));
  const importerId = catalog.importers.add({ config: {} }).id;
  const entry = (prefix: string, base: string) => (name: string) => ({
    ...{ path: `${prefix}/pool/${name}`, url: `${base}/pool/${name}`, importerId, unitId: name, unitTypeId: 'deb' },
    ...{ size: sizeOf(name), checksum: { algorithm: 'sha256', value: digestOf(name) } as const, revision: 1, data: {} },
  });
  const faulty = FAULTS.flatMap((how) =>
    Array.from({ length: sizes.fleet }, (_, number) => faultyName('ours', how, number)),
  );
  const staging = catalog.entries.stage();
  for (let round = 0; round < rounds; round += 1)
    staging.write(namesOf(bench, 'ours', round).map(entry('/fleet', feed)));
  staging.write(faulty.map(entry('/dying', dying)));
  staging.publishAsIs();
  catalog.close();
  const hosts = [`${new URL(feed).host}=/fleet`, `${new URL(dying).host}=/dying`].join(', ');
  const server = await startServer(
    (port) => [
      ...[process.execPath, main, 'serve', '--config', NO_FILE, '--port', String(port), '--state-dir', own],
      ...['--proxy', 'yes', '--proxy-hosts', hosts],
    ],
    { core: cores?.contender, log: join(own, 'log') },
  );
  return { ...server, id: 'ours', name: 'pulp-streamer' };
};
