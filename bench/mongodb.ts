import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { lastValueFrom, toArray } from 'rxjs';
import { packageRoot } from '../src/app/version.ts';
import { connectMongo } from '../src/catalog/mongodb/connection.ts';
import { openMongoCatalog } from '../src/catalog/mongodb.ts';
import { databaseSettings } from '../test/support/database-settings.ts';
import { type MongoServer, startMongoServer, way } from '../test/support/mongodb-server.ts';
import { startPulp2 } from '../test/support/pulp2/pulp2.ts';
import { type Contender, hold, median, percentile } from './contest.ts';
import { contender, makeRepository } from './import.ts';
import { usageOf } from './processes.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const ENTRIES = Number(process.env.BENCH_ENTRIES ?? 1_000_000);
const PACKAGES = Number(process.env.BENCH_PACKAGES ?? 100_000);
const LOOKUPS = 1_000;
/** Milliseconds. No query may fail by its time-out, since its time is measured. */
const TIMEOUT_MS = 600_000;

/** `%d` is the number of an entry. */
const PATH = '/var/lib/pulp/content/units/rpm/package-%d-1.0-1.noarch.rpm';

interface Closing extends Contender {
  readonly close: () => Promise<void>;
}

/** Looks up random paths in a database of Pulp's with `count` entries, one after the other. */
const lookingUp = async ({ url }: MongoServer, count: number): Promise<Closing> => {
  const name = `pulp_bench_${process.pid}_${count}`;
  const pulp = await startPulp2(url, name);
  await pulp.entries(count, PATH, `https://cdn.example.com${PATH}`);
  const connection = connectMongo(databaseSettings({ url, name }), TIMEOUT_MS);
  const folders = { storageDir: '/none', pluginConfigDir: '/none' };
  const catalog = openMongoCatalog(connection, { ...folders, maxTime: TIMEOUT_MS, keepFor: 0 });
  const all: number[] = [];
  return {
    name: `of ${count.toLocaleString('en')} entries`,
    run: async () => {
      const times: number[] = [];
      for (let left = LOOKUPS; left > 0; left -= 1) {
        const path = PATH.replace('%d', String(Math.floor(Math.random() * count)));
        const asked = performance.now();
        const found = await lastValueFrom(catalog.lookup(path).pipe(toArray()));
        if (found.length !== 1) throw new Error(`${path}: ${found.length} entries`);
        times.push(1000 * (performance.now() - asked));
      }
      all.push(...times);
      return median(times);
    },
    also: () => `99 of 100 within ${percentile(all, 99).toFixed(0)} µs`,
    close: async () => {
      await connection.close();
      await pulp.drop();
      await pulp.close();
    },
  };
};

const lookups = async (server: MongoServer): Promise<void> => {
  // FerretDB reads all documents, without an index: its figures would not apply to MongoDB.
  if (way?.name === 'FerretDB') {
    process.stdout.write(
      '\nLooking up a path in MongoDB: not measured, since FerretDB uses no index; set MONGODB_URL\n',
    );
    return;
  }
  const [small, large] = [await lookingUp(server, Math.ceil(ENTRIES / 1000)), await lookingUp(server, ENTRIES)];
  await hold({
    title: `Looking up a path in MongoDB (${way?.name})`,
    unit: 'µs',
    rounds: ROUNDS,
    contenders: [small, large],
  });
  await small.close();
  await large.close();
};

/** Refreshes a source of `packages` packages with the command line. */
const refreshing = async (
  folder: string,
  where: string,
  packages: number,
  args: readonly string[],
): Promise<Contender> => {
  const sources = join(folder, `conf-${packages}.d`);
  mkdirSync(sources, { recursive: true });
  const base = pathToFileURL(join(folder, `of-${packages}`)).href;
  writeFileSync(join(sources, 'bench.conf'), `[bench]\nenabled: 1\ntype: yum\nbase_url: ${base}/\n`);
  const state = join(folder, `state-${packages}-${where}`);
  const command = ['sources', 'refresh', '--content-sources-dir', sources, '--state-dir', state, ...args];
  const main = join(packageRoot, 'src/cli/main.ts');
  return contender(`${packages.toLocaleString('en')} packages into ${where}`, () => usageOf(main, ...command));
};

/**
 * The two sizes show that memory has a bound. The bound is not small: Node does not collect garbage
 * while memory is free.
 */
const refreshes = async (folder: string, { url }: MongoServer): Promise<void> => {
  const name = `pulp_bench_${process.pid}`;
  const config = join(folder, 'mongodb.conf');
  writeFileSync(config, `[streamer]\nmongodb_url: ${url}${name}\nmongodb_timeout: ${TIMEOUT_MS}ms\n`);
  const sizes = [PACKAGES / 2, PACKAGES] as const;
  for (const packages of sizes) await makeRepository(join(folder, `of-${packages}`), packages);
  const into = (where: string, args: readonly string[]) =>
    Promise.all(sizes.map((packages) => refreshing(folder, where, packages, args)));
  const [first, ...others] = [
    ...(await into('the embedded catalog', [])),
    ...(await into(`MongoDB (${way?.name})`, ['--config', config])),
  ];
  if (first)
    await hold({ title: 'Cataloging an alternate source', unit: 'CPU s', rounds: 1, contenders: [first, ...others] });
  const pulp = await startPulp2(url, name);
  await pulp.drop();
  await pulp.close();
};

/**
 * Pulp's database as the catalog, on the server in `MONGODB_URL`, on `mongod`, or on the one of the
 * tests. BENCH_ENTRIES: entries of the large catalog; BENCH_PACKAGES: packages of the large source.
 */
export const mongodb = async (folder: string): Promise<void> => {
  if (!way) {
    process.stdout.write('\nMongoDB: not measured, no server found (MONGODB_URL, mongod, or Go to build FerretDB)\n');
    return;
  }
  const data = join(folder, 'mongodb');
  mkdirSync(data);
  const server = await startMongoServer(data);
  try {
    await lookups(server);
    await refreshes(folder, server);
  } finally {
    if (!way.url) await server.stop();
  }
};
