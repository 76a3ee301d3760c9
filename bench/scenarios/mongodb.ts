import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { lastValueFrom, toArray } from 'rxjs';
import { openMongoCatalog } from '../../src/catalog/mongodb/catalog.ts';
import { connectMongo } from '../../src/catalog/mongodb/connection.ts';
import { databaseSettings } from '../../test/support/database-settings.ts';
import { type MongoServer, startMongoServer, way } from '../../test/support/mongodb-server.ts';
import { startPulp2 } from '../../test/support/pulp2/pulp2.ts';
import type { Bench, Scenario } from '../bench.ts';
import { type Contender, hold, median, percentile, type Result } from '../contest.ts';
import { NO_FILE, usageOf } from '../machine.ts';
import { makeRepository, packages as packagesOf } from '../yum.ts';
import { contender } from './import.ts';

const LOOKUPS = 1_000;
/** Milliseconds that a query may take: its duration is what is measured. */
const TIMEOUT = 600_000;

/** `%d` is an entry's number. */
const PATH = '/var/lib/pulp/content/units/rpm/package-%d-1.0-1.noarch.rpm';

interface Closing extends Contender {
  readonly close: () => Promise<void>;
}

/** Looks up random paths in a database of Pulp with N entries, one after the other. */
const lookingUp = async (
  { url }: MongoServer,
  count: number,
  own: Pick<Contender, 'id' | 'ours'>,
): Promise<Closing> => {
  const name = `pulp_bench_${process.pid}_${count}`;
  const pulp = await startPulp2(url, name);
  await pulp.entries(count, PATH, `https://cdn.example.com${PATH}`);
  const connection = connectMongo(databaseSettings({ url, name }), TIMEOUT);
  const folders = { storageDir: '/none', pluginConfigDir: '/none' };
  const catalog = openMongoCatalog(connection, { ...folders, maxTime: TIMEOUT, keepFor: 0 });
  const all: number[] = [];
  return {
    ...own,
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

const lookups = async (server: MongoServer, entries: number, rounds: number): Promise<readonly Result[]> => {
  // It finds documents by reading all of them, whatever indexes there are: not a measure of MongoDB.
  if (way?.name === 'FerretDB') {
    process.stderr.write('look-ups in MongoDB: not measured, FerretDB uses no index; set MONGODB_URL\n');
    return [];
  }
  const few = await lookingUp(server, Math.min(1_000, entries / 2), { id: 'thousand' });
  const many = await lookingUp(server, entries, { id: 'mongodb-lookup', ours: true });
  try {
    const title = `Looking up a path in MongoDB (${way?.name})`;
    return [await hold({ title, unit: 'µs', rounds, contenders: [few, many] })];
  } finally {
    await few.close();
    await many.close();
  }
};

/** That memory is bounded shows between the two sizes. It is not small: Node collects late while there is room. */
const refreshes = async (
  { sizes, cores, main }: Bench,
  folder: string,
  { url }: MongoServer,
): Promise<readonly Result[]> => {
  const name = `pulp_bench_${process.pid}`;
  const mongo = join(folder, 'mongodb.conf');
  writeFileSync(mongo, `[streamer]\nmongodb_url: ${url}${name}\nmongodb_timeout: ${TIMEOUT}ms\n`);
  const counts = [sizes.packages / 2, sizes.packages] as const;
  for (const count of counts) await makeRepository(join(folder, `of-${count}`), packagesOf(count));

  /** Refreshes a source of N packages by the command line. */
  const refreshing = (where: string, config: string, ours: boolean) =>
    counts.map((count) => {
      const sources = join(folder, `conf-${count}.d`);
      mkdirSync(sources, { recursive: true });
      const base = pathToFileURL(join(folder, `of-${count}`)).href;
      writeFileSync(join(sources, 'bench.conf'), `[bench]\nenabled: 1\ntype: yum\nbase_url: ${base}/\n`);
      const state = join(folder, `state-${count}-${ours}`);
      const command = [
        'sources',
        'refresh',
        '--content-sources-dir',
        sources,
        '--state-dir',
        state,
        '--config',
        config,
      ];
      const half = count === sizes.packages ? '' : '-half';
      return contender(
        {
          id: `${ours ? 'mongodb' : 'embedded'}-refresh${half}`,
          name: `${count.toLocaleString('en')} packages into ${where}`,
          ours,
        },
        () => usageOf(cores?.contender, main, ...command),
      );
    });
  const result = await hold({
    title: 'Cataloging an alternate source',
    unit: 'CPU s',
    rounds: 1,
    rehearse: false,
    contenders: [
      ...refreshing('the embedded catalog', NO_FILE, false),
      ...refreshing(`MongoDB (${way?.name})`, mongo, true),
    ],
  });
  const pulp = await startPulp2(url, name);
  await pulp.drop();
  await pulp.close();
  return [result];
};

/** Pulp’s database as the catalog, on the server that `MONGODB_URL` names, on `mongod`, or on that of the tests. */
export const mongodb: Scenario = async (bench) => {
  if (!way) {
    process.stderr.write('MongoDB: not measured, there is no server (MONGODB_URL, mongod, or Go to build FerretDB)\n');
    return [];
  }
  const folder = bench.folder('mongodb');
  const server = await startMongoServer(folder);
  try {
    return [
      ...(await lookups(server, bench.sizes.entries, bench.sizes.rounds)),
      ...(await refreshes(bench, folder, server)),
    ];
  } finally {
    if (!way.url) await server.stop();
  }
};
