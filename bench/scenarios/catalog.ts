import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteCatalog, type SqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import { openOutbox } from '../../src/saves/outbox/open.ts';
import type { Scenario } from '../bench.ts';
import { type Contender, hold, median, percentile, type Result } from '../contest.ts';

const LOOKUPS = 5_000;
const SAVES = 2_000;
const BATCH = 10_000;

const IMPORTER = '0'.repeat(24);
const pathOf = (number: number) => `/pulp/repos/example/Packages/package-${number}-1.0-1.noarch.rpm`;
const entryOf = (number: number) => ({
  path: pathOf(number),
  importerId: IMPORTER,
  unitId: `unit-${number}`,
  unitTypeId: 'rpm',
  url: `https://cdn.example.com/content/Packages/package-${number}-1.0-1.noarch.rpm`,
  checksum: { algorithm: 'sha256', value: number.toString(16).padStart(64, '0') } as const,
  size: number,
  revision: 1,
  data: {},
});

const fill = (catalog: SqliteCatalog, count: number): void => {
  const staging = catalog.entries.stage();
  for (let from = 0; from < count; from += BATCH)
    staging.write(Array.from({ length: Math.min(BATCH, count - from) }, (_, index) => entryOf(from + index)));
  staging.publishAsIs();
};

/** Looks up random paths, one after the other. */
const lookingUp = (
  folder: string,
  count: number,
  own: Pick<Contender, 'id' | 'ours'>,
): Contender & { readonly close: () => void } => {
  const began = performance.now();
  const catalog = openSqliteCatalog(join(folder, `${count}.db`));
  fill(catalog, count);
  const filled = (performance.now() - began) / 1000;
  const all: number[] = [];
  return {
    ...own,
    name: `of ${count.toLocaleString('en')} entries`,
    run: async () => {
      const times = Array.from({ length: LOOKUPS }, () => {
        const number = Math.floor(Math.random() * count);
        const asked = performance.now();
        let size: number | undefined;
        catalog.lookup(pathOf(number)).subscribe((entry) => {
          size = entry.size;
        });
        if (size !== number) throw new Error(`${pathOf(number)} was not found`);
        return 1000 * (performance.now() - asked);
      });
      all.push(...times);
      return median(times);
    },
    also: () => `99 of 100 within ${percentile(all, 99).toFixed(0)} µs; filled in ${filled.toFixed(1)} s`,
    close: () => catalog.close(),
  };
};

/** Records one save request after the other. */
const recording = (own: Pick<Contender, 'id' | 'name' | 'ours'>, record: (number: number) => void): Contender => {
  const all: number[] = [];
  let next = 0;
  return {
    ...own,
    run: async () => {
      const times: number[] = [];
      for (let left = SAVES; left > 0; left -= 1) {
        const began = performance.now();
        record(next++);
        times.push(1000 * (performance.now() - began));
        // Each in a separate turn, as requests come.
        await new Promise((resolve) => setImmediate(resolve));
      }
      all.push(...times);
      return median(times);
    },
    also: () => `99 of 100 within ${percentile(all, 99).toFixed(0)} µs`,
  };
};

const saveRequests = async (folder: string, rounds: number): Promise<Result> => {
  const database = new DatabaseSync(join(folder, 'bare.db'));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
  database.exec('CREATE TABLE bare (unit, path, entry, UNIQUE (unit, path))');
  const insert = database.prepare('INSERT INTO bare VALUES (?, ?, ?)');
  const outbox = openOutbox(join(folder, 'outbox.db'), {
    onError: (error) => {
      throw error;
    },
  });
  try {
    return await hold({
      title: 'Appending a save request, which is written by the end of the turn',
      unit: 'µs',
      rounds,
      contenders: [
        recording({ id: 'insert', name: 'a bare INSERT' }, (number) => {
          const entry = entryOf(number);
          insert.run(entry.unitId, entry.path, JSON.stringify(entry));
        }),
        recording({ id: 'outbox', name: 'pulp-streamer', ours: true }, (number) =>
          outbox.append({ requestId: 'request', entry: entryOf(number) }),
        ),
      ],
    });
  } finally {
    outbox.close();
    database.close();
  }
};

/** The embedded catalog, small and large, and the outbox. */
export const catalog: Scenario = async ({ sizes, folder }) => {
  const own = folder('catalog');
  const few = lookingUp(own, Math.min(1_000, sizes.entries / 2), { id: 'thousand' });
  const many = lookingUp(own, sizes.entries, { id: 'lookup', ours: true });
  try {
    const lookups = await hold({
      title: 'Looking up a path in the embedded catalog',
      unit: 'µs',
      rounds: sizes.rounds,
      contenders: [few, many],
    });
    return [lookups, await saveRequests(own, sizes.rounds)];
  } finally {
    few.close();
    many.close();
  }
};
