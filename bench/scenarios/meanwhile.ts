import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { openSqliteCatalog, type SqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import { sqliteRefreshStore } from '../../src/catalog/sqlite/refresh-store.ts';
import { type Bench, expecting, type Scenario, SMALL } from '../bench.ts';
import { digestOf } from '../content.ts';
import { type Contender, hold, percentile } from '../contest.ts';
import { type Daemon, startDaemon } from '../daemon.ts';
import { downloadAll } from '../load.ts';
import type { Asked } from '../relay.ts';
import { makeRepository, type Packed, packages } from '../yum.ts';

const PACKED: readonly Packed[] = ['gz', 'xz'];

/** A catalog of small files, and of repositories that are read when a client first asks for them. */
const fillCatalog = (
  catalog: SqliteCatalog,
  feed: string,
  names: readonly string[],
  bases: ReadonlyMap<string, string>,
): void => {
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
  for (const [prefix, base] of bases)
    catalog.repositories.save({ prefix, importerId, format: 'yum', base, follows: true, ...unknown });
};

/** A way to have a repository read: calls `begun` at its beginning, and resolves at its end. */
type Read = (id: string, packed: Packed, begun: () => void) => Promise<void>;

/** How long clients wait for small files while the daemon reads the metadata of a large repository. */
export const meanwhile: Scenario = async (bench) => {
  const { sizes, origin } = bench;
  const rounds = sizes.rounds + 1;
  const folder = bench.folder('meanwhile');
  const baseOf = (packed: Packed) => `${pathToFileURL(join(folder, packed)).href}/`;
  for (const packed of PACKED) await makeRepository(join(folder, packed), packages(sizes.packages), packed);
  const contenders = 1 + 2 * PACKED.length;
  const count = contenders * rounds * sizes.latencies;
  const names = Array.from({ length: count + sizes.warmUp }, (_, number) => `${SMALL}-meanwhile-${number}`);
  const file = join(folder, 'catalog.db');
  const catalog = openSqliteCatalog(file);
  const prefixes = PACKED.flatMap((packed) =>
    Array.from({ length: rounds }, (_, round) => [`/${packed}${round}`, baseOf(packed)] as const),
  );
  fillCatalog(catalog, origin.http, names, new Map(prefixes));
  const descriptors = join(folder, 'conf.d');
  mkdirSync(descriptors);
  const settings = ['--dispatch', 'none', '--answer-timeout', '600', '--content-sources-dir', descriptors];
  const daemon = await startDaemon(bench, folder, file, settings);
  try {
    let next = 0;
    const files = (count: number): readonly Asked[] => {
      next += count;
      return names.slice(next - count, next).map((name) => ({ name, url: `${daemon.url}/${name}` }));
    };
    const wait = async (): Promise<number> =>
      percentile(await expecting(bench, sizes.latencies, () => downloadAll(files(sizes.latencies), 1)), 99);
    await downloadAll(files(sizes.warmUp), 1);
    const following: Read = async (id, _, begun) => {
      begun();
      await learned(bench, daemon, `/${id}`, catalog);
    };
    const refreshing: Read = async (id, packed, begun) => {
      writeFileSync(join(descriptors, `${id}.conf`), `[${id}]\nenabled: 1\ntype: yum\nbase_url: ${baseOf(packed)}\n`);
      await refreshed(id, catalog, sizes.packages, begun);
    };
    const during = (id: string, name: string, packed: Packed, read: Read): Contender => {
      let round = 0;
      let endedFirst = false;
      return {
        ...{ id: `${id}-${packed}`, ours: true, name: `while it ${name} of ${numberOf(sizes.packages)}, ${packed}` },
        run: async () => {
          const begun = Promise.withResolvers<void>();
          let reading = true;
          const running = read(`${packed}${round++}`, packed, begun.resolve).finally(() => {
            reading = false;
          });
          await Promise.race([begun.promise, running]);
          const took = await wait();
          endedFirst ||= !reading;
          await running;
          return took;
        },
        also: () => (endedFirst ? 'in some round it had read all before the last request' : undefined),
      };
    };
    const own: readonly Contender[] = [
      { id: 'idle', name: 'while it does nothing else', run: wait },
      ...PACKED.map((packed) => during('meanwhile', 'reads a followed yum repository', packed, following)),
      ...PACKED.map((packed) => during('alternate', 'refreshes an alternate source', packed, refreshing)),
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
    catalog.close();
  }
};

const numberOf = (count: number): string => `${count.toLocaleString('en')} packages`;

/** Asks for a repository. Resolves once all of its packages are in the catalog. */
const learned = async (
  { sizes }: Bench,
  { url, agent }: Daemon,
  prefix: string,
  { repositories }: SqliteCatalog,
): Promise<void> => {
  const [response] = (await once(get(`${url}${prefix}/repodata/repomd.xml`, { agent }), 'response')) as [
    IncomingMessage,
  ];
  for await (const _ of response);
  if (response.statusCode !== 200) throw new Error(`${prefix}: ${response.statusCode}, expected 200`);
  const found = repositories.list().find((one) => one.prefix === prefix)?.packages;
  if (found !== sizes.packages) throw new Error(`${prefix}: ${found} packages, expected ${sizes.packages}`);
};

/** Milliseconds between two looks at the state of a source. */
const LOOK = 50;

/** Resolves once a source has been refreshed. */
const refreshed = async (id: string, catalog: SqliteCatalog, units: number, begun: () => void): Promise<void> => {
  const store = sqliteRefreshStore(catalog);
  for (let wasLeased = false; ; await setTimeout(LOOK)) {
    const leased = (await store.state(id, Date.now() / 1000))?.leased ?? false;
    if (leased) begun();
    if (wasLeased && !leased) break;
    wasLeased = leased;
  }
  const found = await store.count(id, Date.now() / 1000);
  if (found !== units) throw new Error(`${id}: ${found} units, expected ${units}`);
};
