import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { settingsOf } from '../../../src/app/from-settings.ts';
import { openRepositories } from '../../../src/app/metadata.ts';
import { refreshRepositories } from '../../../src/app/repositories/refreshing.ts';
import { refreshRepository } from '../../../src/catalog/refresh-repository.ts';
import { sqliteRefreshStore } from '../../../src/catalog/sqlite/refresh-store.ts';
import { openTables, type Tables } from '../../../src/catalog/sqlite/tables.ts';
import { apart } from '../../../src/repositories/reader/apart.ts';
import { startFeed } from '../../support/feeds.ts';
import { makeFilesRepository } from '../../support/repositories.ts';
import { serveFolder } from '../../support/site-feeds.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const newFolder = temporaryFolders();
const PREFIXES = ['/a', '/b', '/c'];

/** A loop of one daemon, and how often it has taken and left each repository. */
const loop = (tables: Tables, file: string) => {
  const left: string[] = [];
  const done: string[] = [];
  const bytes: number[] = [];
  const store = sqliteRefreshStore(tables);
  const running = refreshRepositories({
    settings: settingsOf({ catalog: file }),
    catalog: tables,
    store: {
      ...store,
      release: async (id, holder) => {
        await store.release(id, holder);
        left.push(id);
      },
    },
    refreshed: ({ prefix }, { fetched = 0 }) => {
      done.push(prefix);
      bytes.push(fetched);
    },
    random: () => 0,
  }).subscribe((event) => {
    if (event.type === 'failed') throw event.error;
  });
  return { left, done, bytes, stop: () => running.unsubscribe() };
};

it('refreshes each due repository in one of two processes on a catalog', async () => {
  const [folder, file] = [newFolder(), join(newFolder(), 'catalog.db')];
  makeFilesRepository(folder, { 'a.iso': 'A' });
  const feed = await startFeed(serveFolder(folder));
  const feeds = openRepositories(settingsOf({}));
  const tables = [openTables(file), openTables(file)] as const;
  const [catalog] = tables;
  const importer = catalog.importers.ensure({}).id;
  for (const prefix of PREFIXES)
    await refreshRepository({
      ...{ catalog, format: apart('files'), formatName: 'files', base: `${feed.url}/`, prefix, importer, every: 3600 },
      read: feeds.files({}),
    });
  await feeds.close();
  for (const repository of catalog.repositories.list()) catalog.repositories.save({ ...repository, succeeded: 1 });
  const before = feed.requests.length;

  const loops = tables.map((one) => loop(one, file));
  try {
    // Each of the two has asked for the right to each repository, and has left it again.
    await until(() => loops.every(({ left }) => PREFIXES.every((prefix) => left.some((id) => id.endsWith(prefix)))));
    expect(loops.flatMap(({ done }) => done).sort()).toEqual(PREFIXES);
    const { length } = readFileSync(join(folder, 'PULP_MANIFEST'));
    expect(loops.flatMap(({ bytes }) => bytes)).toEqual(PREFIXES.map(() => length));
    expect(feed.requests.slice(before).map(({ method, url }) => `${method} ${url}`)).toEqual(
      PREFIXES.map(() => 'GET /PULP_MANIFEST'),
    );
  } finally {
    for (const { stop } of loops) stop();
    await feed.close();
    for (const one of tables) one.close();
  }
});
