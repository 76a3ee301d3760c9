import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { askWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { describeMongo, describeMongoServer, serverName } from '../support/mongodb.ts';
import { startOwnMongoServer } from '../support/mongodb-server.ts';
import { processes } from '../support/processes.ts';
import {
  buildRpm,
  builtFiles,
  indexYum,
  itNeeding,
  makeFilesRepository,
  makeYumRepository,
  YUM_TOOLS,
} from '../support/repositories.ts';
import { sharedStores } from '../support/shared-catalog.ts';
import { makeSite, type Site } from '../support/site.ts';
import { closedFeeds, serveFolder } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const BEAR = { name: 'bear', version: '4.1', size: 2_000 };
const CAT = { name: 'cat', version: '1.0', size: 3_000 };

describeMongo(`Streamers that share a catalog in ${serverName}`, () => {
  const stores = sharedStores();

  /** Sites on machines of their own: they have nothing in common but the catalog. */
  const machines = async (count: number, settings: Readonly<Record<string, string | number>> = {}) => {
    const { url } = await stores.catalog();
    const all = { catalog_type: 'shared', shared_catalog_url: url, attempts: 1, ...settings };
    return Array.from({ length: count }, () => makeSite(start, folder(), all)) as [Site, Site, ...Site[]];
  };

  it('import a repository once, and each serves it; commands of any machine show and change it', async () => {
    const repository = folder();
    makeFilesRepository(repository, { 'a.iso': 'A', 'b.iso': 'B' });
    const feed = await startFeed(serveFolder(repository));
    const [one, two] = await machines(2);
    const daemons = await Promise.all([one.serve(), two.serve()]);
    await one.run('catalog', 'import', 'files', `${feed.url}/`, '--prefix', '/r', '--username', 'u', '--password', 'p');
    for (const { url } of daemons)
      expect(await askWhole(`${url}/r/a.iso`)).toMatchObject({ status: 200, body: Buffer.from('A') });

    expect(JSON.parse(await two.run('catalog', 'list', '--json'))).toMatchObject([{ prefix: '/r', packages: 2 }]);
    for (const site of [one, two])
      expect(JSON.parse(await site.run('status', '--json'))).toMatchObject({
        state: 'ready',
        prefixes: [{ prefix: '/r', feed: `${feed.url}/`, packages: 2, followed: false }],
      });
    const [importer] = JSON.parse(await two.run('importers', 'list', '--json'));
    expect(importer).toMatchObject({ entries: 3, config: { basic_auth_password: '********' } });
    const exported = await two.run('catalog', 'export');
    expect(await two.run('catalog', 'remove', '--prefix', '/r')).toContain('removed 3 entries below /r');
    await until(async () =>
      (await Promise.all(daemons.map(({ url }) => askWhole(`${url}/r/b.iso`)))).every(({ status }) => status === 404),
    );
    const file = join(folder(), 'lines');
    writeFileSync(file, exported);
    expect(await one.run('catalog', 'load', file)).toBe('loaded 3 entries\n');
    for (const { url } of daemons) expect(await askWhole(`${url}/r/b.iso`)).toMatchObject({ status: 200 });
    expect(await one.run('catalog', 'refresh')).toBe('');
  });

  itNeeding(YUM_TOOLS)(
    'follow a repository: one reads it, and each serves its metadata, also what the feed no longer has',
    async () => {
      const repository = join(folder(), 'zoo');
      makeYumRepository(repository, [BEAR]);
      const feed = await startFeed(serveFolder(repository));
      // A busy machine reads it late, and the first clients wait for half of that.
      const [one, two] = await machines(2, { metadata_max_age: 0, answer_timeout: 300 });
      const daemons = await Promise.all([one.serve(), two.serve()]);
      await one.run('catalog', 'follow', 'yum', `${feed.url}/`, '--prefix', '/r');
      const ask = (path: string) => Promise.all(daemons.map(({ url }) => askWhole(`${url}/r/${path}`)));
      const before = await ask('repodata/repomd.xml');
      expect(before).toMatchObject([{ status: 200 }, { status: 200 }]);
      expect(before[0]?.body.equals(before[1]?.body ?? Buffer.of())).toBe(true);
      // Both were asked at once, and one has read it.
      expect(feed.requests.filter(({ url = '' }) => /primary\.xml/.test(url))).toHaveLength(1);
      const old = builtFiles(repository).filter(({ path }) => /repodata\/.*(primary|filelists)\.xml/.test(path));
      expect(old.length).toBeGreaterThan(1);

      buildRpm(repository, CAT);
      indexYum(repository);
      const isNew = ({ body }: { readonly body: Buffer }) => !before.some((one) => one.body.equals(body));
      // Whoever asks first has it read; it may take longer than a client is made to wait.
      await until(async () => (await ask('repodata/repomd.xml')).every(isNew));
      const after = await ask('repodata/repomd.xml');
      expect(after[0]?.body.equals(after[1]?.body ?? Buffer.of())).toBe(true);
      expect(after[0]?.headers.etag).toBe(after[1]?.headers.etag);
      expect(after[0]?.headers['last-modified']).toBe(after[1]?.headers['last-modified']);
      for (const { path } of old) expect(await ask(path)).toMatchObject([{ status: 200 }, { status: 200 }]);
      for (const { path } of builtFiles(repository))
        expect(await ask(path)).toMatchObject([{ status: 200 }, { status: 200 }]);
      expect(await ask('repodata/no-such')).toMatchObject([{ status: 404 }, { status: 404 }]);
      expect(JSON.parse(await two.run('catalog', 'list', '--json'))).toMatchObject([{ follows: true, packages: 2 }]);
    },
  );

  it('serve the same dated views, whose labels any machine moves for all', async () => {
    const repository = folder();
    makeFilesRepository(repository, { a: 'A' });
    const feed = await startFeed(serveFolder(repository));
    const [one, two] = await machines(2, { metadata_max_age: 0, keep_revisions: '30d', listings: 'yes' });
    const daemons = await Promise.all([one.serve(), two.serve()]);
    const ask = async (path: string) =>
      (await Promise.all(daemons.map(({ url }) => askWhole(`${url}${path}`)))).map(({ body }) => body.toString());
    await one.run('catalog', 'import', 'files', `${feed.url}/`, '--prefix', '/r');
    expect(await ask('/r/a')).toEqual(['A', 'A']);
    const [manifest] = await ask('/r/PULP_MANIFEST');
    await two.run('catalog', 'label', '/r', 'prod');
    makeFilesRepository(repository, { a: 'other', b: 'B' });
    await one.run('catalog', 'refresh', '/r');

    await until(async () => (await ask('/r/a')).every((text) => text === 'other'));
    expect(await ask('/r@prod/a')).toEqual(['A', 'A']);
    expect(await ask('/r@prod/PULP_MANIFEST')).toEqual([manifest, manifest]);
    expect(await ask('/r@latest/a')).toEqual(['other', 'other']);
    for (const text of await ask('/r@prod/b')) expect(text).toContain('it is not in revision 1 of /r');
    for (const text of await ask('/r@prod/')) expect(text).not.toContain('>b<');
    await one.run('catalog', 'label', '/r', 'prod', '2');
    expect(await ask('/r@prod/b')).toEqual(['B', 'B']);
    await two.run('catalog', 'label', '/r', 'prod', '1');
    expect(await ask('/r@prod/a')).toEqual(['A', 'A']);
    expect(JSON.parse(await two.run('catalog', 'list', '--json'))).toMatchObject([
      { prefix: '/r', revisions: [1, 2], labels: { prod: 1 } },
    ]);
    await one.run('catalog', 'label', '/r', 'prod', '--delete');
    for (const text of await ask('/r@prod/a')) expect(text).toContain('no label has this name');
  });

  it('refuse a database that is not theirs, and say so', async () => {
    const { url } = await stores.catalog();
    const client = new MongoClient(url);
    await client.db().collection('repo_importers').insertOne({ x: 1 });
    await client.close();
    const site = makeSite(start, folder(), { catalog_type: 'shared', shared_catalog_url: url });
    const daemon = await site.serve();
    await daemon.logged('shared catalog cannot be used', { error: /it is Pulp's \(it has repo_importers\)/ });
    expect(await askWhole(`${daemon.url}/r/a`)).toMatchObject({ status: 503 });
    const { status, stderr } = await site.start('catalog', 'list').ended;
    expect([status, stderr.toString()]).toEqual([1, expect.stringContaining("it is Pulp's (it has repo_importers)")]);
  });

  it('need the URL of their database', async () => {
    const site = makeSite(start, folder(), { catalog_type: 'shared' });
    const { status, stderr } = await site.start('check-config').ended;
    expect(status).toBe(78);
    expect(stderr.toString()).toContain(
      'shared_catalog_url: expected the URL of its database, because catalog_type is shared',
    );
  });
});

describeMongoServer(`A streamer whose shared catalog in ${serverName} is down`, () => {
  it('answers 503, and serves again when it is back', async () => {
    const server = await startOwnMongoServer(folder());
    try {
      const settings = { catalog_type: 'shared', shared_catalog_url: `${server.url}ours`, mongodb_timeout: 5 };
      const site = makeSite(start, folder(), settings);
      const daemon = await site.serve();
      const repository = folder();
      makeFilesRepository(repository, { 'a.iso': 'A' });
      await site.run('catalog', 'import', 'files', repository, '--prefix', '/r');
      const ask = () => askWhole(`${daemon.url}/r/a.iso`);
      expect(await ask()).toMatchObject({ status: 200 });
      await server.stop();
      // What was asked for within the last second is known.
      await until(async () => (await ask()).status !== 200);
      expect(await ask()).toMatchObject({ status: 503, headers: { 'retry-after': expect.any(String) } });
      expect((await site.start('status').ended).stdout.toString()).toMatch(
        /^unavailable\n(.*\n)* {2}prefixes are unknown: /,
      );
      await server.start();
      await until(async () => (await ask()).status === 200);
    } finally {
      await server.stop();
    }
  });
});
