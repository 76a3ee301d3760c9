import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { type RequestListener, request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { leaseOf } from '../../src/catalog/refresh-repository.ts';
import { openSqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import { sqliteRefreshStore } from '../../src/catalog/sqlite/refresh-store.ts';
import { CACHES } from '../caches/caches.ts';
import { makeApt } from '../support/apt.ts';
import { askWhole, readWhole } from '../support/clients.ts';
import { makeDnf } from '../support/dnf.ts';
import { temporaryFolders } from '../support/folder.ts';
import { sha256 } from '../support/pipeline.ts';
import { processes } from '../support/processes.ts';
import {
  buildRpm,
  builtFiles,
  DEB_TOOLS,
  indexYum,
  itNeeding,
  makeFilesRepository,
  makeFlatRepository,
  makeSuiteRepository,
  makeYumRepository,
  writeRelease,
  YUM_TOOLS,
} from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds, serveFolder } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const BEAR = { name: 'bear', version: '4.1', size: 2_000 };
const CAT = { name: 'cat', version: '1.0', size: 300_000 };

/** A daemon, and a feed that may be down. Nothing is followed yet. */
const openSite = async (feedFolder: string, settings: Readonly<Record<string, string | number>> = {}) => {
  let isDown = false;
  const serve = serveFolder(feedFolder);
  const answer: RequestListener = (request, response) =>
    isDown ? response.writeHead(503).end() : serve(request, response);
  const feed = await startFeed(answer);
  const site = makeSite(start, folder(), { attempts: 1, ...settings });
  const daemon = await site.serve();
  return {
    ...{ site, daemon, feed },
    follow: (format: string, ...options: string[]) =>
      site.run('catalog', 'follow', format, `${feed.url}/`, '--prefix', '/r', ...options),
    get: (path: string, from = daemon.url) => askWhole(`${from}/r/${path}`),
    /** How often the feed was asked for a path. */
    asked: (path: string) => feed.requests.filter(({ url }) => url === `/${path}`).length,
    goDown: () => {
      isDown = true;
    },
    listed: async () => JSON.parse(await site.run('catalog', 'list', '--json'))[0],
  };
};

const packages = (files: readonly { readonly path: string; readonly sha256: string }[]) =>
  files
    .filter(({ path }) => /\.(rpm|deb)$/.test(path))
    .map(({ sha256 }) => sha256)
    .sort();

/** The path of the metadata of a type, as repomd.xml states it. */
const pathOf = (repomd: Buffer, type: string): string => {
  const [, path = ''] = new RegExp(`type="${type}">[\\s\\S]*?href="([^"]+)"`).exec(repomd.toString()) ?? [];
  return path;
};

const makeZoo = () => {
  const repository = join(folder(), 'zoo');
  const files = makeYumRepository(repository, [BEAR]);
  return {
    ...{ repository, files },
    /** Another package, and new metadata; the former files of metadata are gone. */
    change: () => {
      buildRpm(repository, CAT);
      indexYum(repository);
      return builtFiles(repository);
    },
  };
};

describe('A followed yum repository', () => {
  itNeeding([...YUM_TOOLS, 'dnf'])('serves dnf after one command, and what the feed has later', async () => {
    const zoo = makeZoo();
    const { daemon, follow, site, listed } = await openSite(zoo.repository, { metadata_max_age: 0 });
    expect(await follow('yum')).toContain('not read yet');
    const dnf = makeDnf(start, folder(), `${daemon.url}/r`);
    const first = join(folder(), 'first');
    await dnf.run('download', `--destdir=${first}`, 'bear');
    expect(packages(builtFiles(first))).toEqual(packages(zoo.files));
    expect(JSON.parse(await site.run('catalog', 'show', '/r/bear-4.1-1.noarch.rpm', '--json'))).toMatchObject([
      { checksum_algorithm: 'sha256', checksum: packages(zoo.files)[0] },
    ]);

    const after = zoo.change();
    dnf.forget();
    const second = join(folder(), 'second');
    await dnf.run('download', `--destdir=${second}`, 'bear', 'cat');
    expect(packages(builtFiles(second))).toEqual(packages(after));
    expect(await listed()).toMatchObject({ prefix: '/r', format: 'yum', follows: true, packages: 2 });
  });

  // Slices have a lifetime of their own (docs/how-to/nginx.md).
  for (const { name, program, start: startCache } of CACHES.filter(({ parts }) => parts === undefined))
    itNeeding([...YUM_TOOLS, program])(
      `serves a client behind ${name} between two revisions, also files that nobody has asked for and the feed has no more`,
      async () => {
        const zoo = makeZoo();
        const { daemon, follow, get } = await openSite(zoo.repository, { metadata_max_age: 0 });
        const cache = await startCache(start, folder(), daemon.url);
        await follow('yum');
        const old = await get('repodata/repomd.xml', cache.url);
        expect(old.headers).toMatchObject({ 'cache-control': 'public, s-maxage=0, max-age=0' });
        const primary = await get(pathOf(old.body, 'primary'), cache.url);
        expect(primary).toMatchObject({
          status: 200,
          headers: { 'cache-control': 'public, s-maxage=86400, max-age=86400' },
        });
        await daemon.logged('repository refreshed', { prefix: '/r' });

        zoo.change();
        expect((await get('repodata/repomd.xml', cache.url)).status).toBe(200);
        await daemon.logged('repository refreshed', { prefix: '/r' }, 2);
        const now = await get('repodata/repomd.xml', cache.url);
        expect(now.body.equals(old.body)).toBe(false);
        for (const type of ['filelists', 'other', 'primary'])
          expect(await get(pathOf(old.body, type), cache.url)).toMatchObject({ status: 200 });
        for (const type of ['filelists', 'primary'])
          expect(await get(pathOf(now.body, type), cache.url)).toMatchObject({ status: 200 });
      },
    );

  itNeeding(YUM_TOOLS)('is served as it was while its feed is down, and says so', async () => {
    const zoo = makeZoo();
    const { follow, get, goDown, listed } = await openSite(zoo.repository, { metadata_max_age: 0, dispatch: 'none' });
    await follow('yum');
    const fresh = await get('repodata/repomd.xml');
    expect(fresh).toMatchObject({ status: 200, headers: { 'cache-status': 'pulp-streamer;hit' } });
    goDown();
    const stale = await get('repodata/repomd.xml');
    expect(stale.body.equals(fresh.body)).toBe(true);
    expect(stale.headers['cache-status']).toMatch(/^pulp-streamer;hit;ttl=-\d+$/);
    for (const type of ['primary', 'filelists'])
      expect(await get(pathOf(fresh.body, type))).toMatchObject({ status: 200 });
    expect((await listed()).error).toContain('503');
  });

  itNeeding(YUM_TOOLS)('denies what its metadata excludes, and asks once for what only the feed can know', async () => {
    const repository = join(folder(), 'zoo');
    mkdirSync(join(repository, 'Packages'), { recursive: true });
    buildRpm(join(repository, 'Packages'), BEAR);
    indexYum(repository);
    writeFileSync(join(repository, 'RPM-GPG-KEY'), 'the key');
    const { asked, daemon, follow, get, site } = await openSite(repository, { max_misses: 2 });
    await follow('yum');
    expect(await get('Packages/absent.rpm')).toMatchObject({ status: 404 });
    expect(asked('Packages/absent.rpm')).toBe(0);
    const key = await get('RPM-GPG-KEY');
    expect(key).toMatchObject({ status: 200, headers: { 'cache-control': 'public, s-maxage=60, max-age=60' } });
    expect(key.body.toString()).toBe('the key');
    for (let time = 0; time < 3; time += 1) expect(await get('absent')).toMatchObject({ status: 404 });
    expect(asked('absent')).toBe(1);
    expect(await get('absent2')).toMatchObject({ status: 404 });
    expect(await get('absent3')).toMatchObject({ status: 429 });
    expect(await get('Packages/bear-4.1-1.noarch.rpm')).toMatchObject({ status: 200 });
    await daemon.stop();
    expect(JSON.parse(await site.run('sources', 'list', '--json'))).toEqual([]);
  });

  const readOnce = async (workers: number) => {
    const zoo = makeZoo();
    const { asked, follow, get, site } = await openSite(zoo.repository, { workers });
    await follow('yum');
    expect(await site.run('check-config', '--deep')).toMatch(/^ok +feed of importer [0-9a-f]{24}, .*repomd\.xml$/m);
    const before = asked('repodata/repomd.xml');
    const all = await Promise.all(
      ['repodata/repomd.xml', 'bear-4.1-1.noarch.rpm', 'absent'].flatMap((path) => [get(path), get(path), get(path)]),
    );
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 404, 404, 404]);
    expect(asked('repodata/repomd.xml')).toBe(before + 1);
  };
  for (const workers of [1, 2])
    itNeeding(YUM_TOOLS)(`is read once for many clients that come at the same time, with ${workers} worker(s)`, () =>
      readOnce(workers),
    );
});

describe('A followed Debian repository', () => {
  const itWithApt = itNeeding([...DEB_TOOLS, 'apt-get']);

  itWithApt('learns each suite that clients ask for', async () => {
    const repository = join(folder(), 'debian');
    const compressions = ['plain', 'xz'] as const;
    makeSuiteRepository(repository, [BEAR], { suite: 'stable', compressions });
    const files = makeSuiteRepository(repository, [CAT], { suite: 'testing', compressions });
    const { daemon, follow, get, listed } = await openSite(repository);
    await follow('deb');
    for (const suite of ['stable', 'testing']) {
      const apt = makeApt(start, folder(), `${daemon.url}/r`, suite);
      await apt.update();
      const name = suite === 'stable' ? 'bear' : 'cat';
      const found = await apt.download(join(folder(), 'debs'), [name]);
      expect(packages(found)).toEqual(packages(files.filter(({ path }) => path.includes(name))));
    }
    expect(await listed()).toMatchObject({ selection: { suites: ['stable', 'testing'] }, packages: 2 });
    expect(await get('dists/unstable/InRelease')).toMatchObject({ status: 404 });
    expect((await listed()).error).toBeUndefined();
  });

  itWithApt('serves apt without InRelease while its feed is down', async () => {
    const repository = join(folder(), 'debian');
    makeSuiteRepository(repository, [BEAR], { compressions: ['plain', 'xz'] });
    const { daemon, follow, get, goDown } = await openSite(repository, { metadata_max_age: 0 });
    await follow('deb');
    const apt = makeApt(start, folder(), `${daemon.url}/r`, 'stable');
    await apt.update();
    goDown();
    expect(await get('dists/stable/InRelease')).toMatchObject({ status: 404 });
    await apt.update();
  });

  itWithApt('keeps the suites that were imported', async () => {
    const repository = join(folder(), 'debian');
    makeSuiteRepository(repository, [BEAR], { compressions: ['plain', 'xz'] });
    const { asked, feed, follow, get, listed, site } = await openSite(repository);
    await site.run('catalog', 'import', 'deb', `${feed.url}/`, '--prefix', '/r', '--suite', 'stable');
    await follow('deb');
    expect(await listed()).toMatchObject({ selection: { suites: ['stable'] }, packages: 1 });
    expect(await get('dists/stable/Release')).toMatchObject({ status: 200 });
    expect(asked('dists/stable/main/binary-amd64/Packages.xz')).toBe(1);
  });

  itWithApt('is read although its feed has dropped one of its suites', async () => {
    const repository = join(folder(), 'debian');
    const makeSuite = (suite: string, ...packages: (typeof BEAR)[]) =>
      makeSuiteRepository(repository, packages, { suite, compressions: ['plain', 'xz'] });
    makeSuite('testing', BEAR);
    makeSuite('stable', BEAR);
    const { daemon, follow, get, listed } = await openSite(repository, { metadata_max_age: 0 });
    await follow('deb', '--suite', 'testing', 'stable');
    expect(await get('dists/stable/Release')).toMatchObject({ status: 200 });
    await daemon.logged('repository refreshed', { prefix: '/r' });
    rmSync(join(repository, 'dists'), { recursive: true });
    makeSuite('stable', BEAR, CAT);
    const now = readFileSync(join(repository, 'dists/stable/Release'));
    expect((await get('dists/stable/Release')).body.equals(now)).toBe(true);
    expect(await listed()).toMatchObject({ selection: { suites: ['stable'] }, packages: 2 });
    expect(await get('dists/testing/Release')).toMatchObject({ status: 200 });
  });

  itWithApt('is not read again because it lacks an index, but when the index comes', async () => {
    const repository = join(folder(), 'debian');
    makeSuiteRepository(repository, [BEAR], { compressions: ['plain', 'xz'] });
    // As a mirror of some architectures: the Release file lists all of them.
    const there = join(repository, 'dists/stable/main/binary-amd64');
    cpSync(there, there.replace('amd64', 'i386'), { recursive: true });
    writeRelease(repository, 'dists/stable', { Suite: 'stable', Components: 'main', Architectures: 'amd64 i386' });
    renameSync(there, join(repository, 'aside'));
    const { asked, daemon, follow, get, listed } = await openSite(repository, { metadata_max_age: 0 });
    await follow('deb', '--suite', 'stable');
    await get('dists/stable/Release');
    await daemon.logged('repository refreshed', { prefix: '/r' });
    await get('dists/stable/Release');
    await get('dists/stable/Release');
    expect(asked('dists/stable/main/binary-i386/Packages.xz')).toBe(1);
    expect((await listed()).error).toBeUndefined();
    renameSync(join(repository, 'aside'), there);
    await get('dists/stable/Release');
    await daemon.logged('repository refreshed', { prefix: '/r' }, 2);
    await get('dists/stable/Release');
    expect(asked('dists/stable/main/binary-i386/Packages.xz')).toBe(2);
  });

  itWithApt('can be flat, without a Release file', async () => {
    const repository = join(folder(), 'debian');
    const files = makeFlatRepository(repository, [BEAR], { release: false });
    const { daemon, follow } = await openSite(repository);
    await follow('deb');
    const apt = makeApt(start, folder(), `${daemon.url}/r`, './');
    await apt.update();
    expect(packages(await apt.download(join(folder(), 'debs'), ['bear']))).toEqual(packages(files));
  });
});

describe('Other followed trees', () => {
  it.each(['..%2Fsecret', '%2e%2e/secret', '../secret', 'in/%2E./../secret', 'in%2f..%2f..%2fsecret'])(
    'never lead out of the folder that is followed: %s',
    async (path) => {
      const feed = folder();
      mkdirSync(join(feed, 'tree/in'), { recursive: true });
      writeFileSync(join(feed, 'secret'), 'the secret');
      writeFileSync(join(feed, 'tree/in/news.txt'), 'news');
      const { daemon, site } = await openSite(feed);
      await site.run('catalog', 'follow', 'raw', join(feed, 'tree'), '--prefix', '/r');
      const get = async (path: string) => {
        const [response] = await once(request(daemon.url, { path, agent: false }).end(), 'response');
        return readWhole(response);
      };
      expect(await get(`/r/${path}`)).toMatchObject({ status: 404 });
      expect((await get('/r/in/x/../news.txt')).body.toString()).toBe('news');
    },
  );

  it('have checksums if there is a manifest', async () => {
    const feed = folder();
    makeFilesRepository(feed, { 'a.iso': 'A' });
    const { follow, get } = await openSite(feed, { metadata_max_age: 0, dispatch: 'none' });
    await follow('files');
    expect(await get('a.iso')).toMatchObject({ status: 200, headers: { etag: `"${sha256('A')}"` } });
    writeFileSync(join(feed, 'a.iso'), 'B');
    expect(await get('a.iso')).toMatchObject({ status: 502 });
    makeFilesRepository(feed, { 'a.iso': 'B' });
    expect((await get('PULP_MANIFEST')).body.toString()).toContain(sha256('B'));
    expect((await get('a.iso')).body.toString()).toBe('B');
  });

  it('are read again if they are followed with another selection', async () => {
    const feed = folder();
    makeFilesRepository(feed, { 'a.iso': 'A' });
    writeFileSync(join(feed, 'b.iso'), 'B');
    writeFileSync(join(feed, 'SUMS'), `${sha256('B')}  b.iso\n`);
    const { follow, get, listed } = await openSite(feed, { metadata_max_age: 0 });
    await follow('files');
    await get('PULP_MANIFEST');
    expect(await listed()).toMatchObject({ packages: 1 });
    await follow('files', '--list', 'SUMS');
    await get('PULP_MANIFEST');
    expect(await listed()).toMatchObject({ packages: 2, selection: { lists: ['SUMS'] } });
  });

  it.each(['ann', 'bob'])('follow one feed: the last one, with credentials of %s', async (name) => {
    const feed = folder();
    makeFilesRepository(join(feed, 'old'), { 'a.iso': 'A' });
    makeFilesRepository(join(feed, 'new'), { 'a.iso': 'B' });
    const { get, site, feed: origin } = await openSite(feed, { metadata_max_age: 0 });
    const follow = (path: string, ...options: string[]) =>
      site.run('catalog', 'follow', 'files', `${origin.url}/${path}/`, '--prefix', '/r', ...options);
    await follow('old');
    expect((await get('PULP_MANIFEST')).body.toString()).toContain(sha256('A'));
    await follow('new', '--username', name, '--password', 'secret');
    for (const content of ['B', 'C']) {
      makeFilesRepository(join(feed, 'new'), { 'a.iso': content });
      expect((await get('PULP_MANIFEST')).body.toString()).toContain(sha256(content));
    }
  });

  it('may have names of any characters', async () => {
    const feed = folder();
    const names = ['ü', 'a b+c', 'a%2Bb', 's;v=1', "#?&='"];
    for (const name of names) writeFileSync(join(feed, name), name);
    const { site, daemon, feed: origin } = await openSite(feed);
    await site.run('catalog', 'follow', 'raw', `${origin.url}/`, '--prefix', '/ü/b c');
    for (const name of names)
      expect((await askWhole(`${daemon.url}/%C3%BC/b%20c/${encodeURIComponent(name)}`)).body.toString()).toBe(name);
  });

  it('are compared at once if the feed turns out to have something else', async () => {
    const feed = folder();
    makeFilesRepository(feed, { 'a.iso': 'A' });
    const { follow, get, site } = await openSite(feed, { dispatch: 'none' });
    await follow('files');
    expect(await get('PULP_MANIFEST')).toMatchObject({ status: 200 });
    // As in the state folder of another daemon, which did not read it.
    rmSync(join(site.stateDir, 'metadata'), { recursive: true });
    makeFilesRepository(feed, { 'a.iso': 'B' });
    expect(await get('PULP_MANIFEST')).toMatchObject({ status: 502 });
    expect((await get('PULP_MANIFEST')).body.toString()).toContain(sha256('B'));
    expect((await get('a.iso')).body.toString()).toBe('B');
  });

  it('are served although a kept file was damaged, which is not tried again', async () => {
    const feed = folder();
    makeFilesRepository(feed, { 'a.iso': 'A' });
    const { follow, get, site } = await openSite(feed, { dispatch: 'none', attempts: 2 });
    await follow('files');
    const whole = await get('PULP_MANIFEST');
    const kept = join(site.stateDir, 'metadata', `sha256-${whole.sha256}`);
    truncateSync(kept);
    expect((await get('PULP_MANIFEST')).body.equals(whole.body)).toBe(true);
    await until(() => !existsSync(kept));
  });

  it('are compared once while another process reads them, and read when it has not', async () => {
    const feed = folder();
    makeFilesRepository(feed, { 'a.iso': 'A' });
    const { asked, daemon, follow, get, site } = await openSite(feed, { metadata_max_age: 0, answer_timeout: 2 });
    await follow('files');
    const old = await get('PULP_MANIFEST');
    await daemon.logged('repository refreshed', { prefix: '/r' });
    makeFilesRepository(feed, { 'a.iso': 'B' });
    const catalog = openSqliteCatalog(join(site.stateDir, 'catalog.db'));
    const [repository] = catalog.repositories.list();
    if (!repository) throw new Error('not followed');
    const other = sqliteRefreshStore(catalog);
    const now = Date.now() / 1000;
    // As soon as the daemon has released it.
    await until(() => other.acquire(leaseOf(repository), 'other', now, now + 60));
    const before = asked('PULP_MANIFEST');
    const stale = await get('PULP_MANIFEST');
    expect(stale.body.equals(old.body)).toBe(true);
    expect(stale.headers['cache-status']).toContain('ttl=-');
    expect(asked('PULP_MANIFEST')).toBe(before + 1);
    await other.release(leaseOf(repository), 'other');
    catalog.close();
    await daemon.logged('repository refreshed', { prefix: '/r' }, 2);
    expect((await get('a.iso')).body.toString()).toBe('B');
  });

  it('have the redirects of their folders, so that relative links lead where the feed says', async () => {
    const feed = await startFeed((request, response) =>
      request.url === '/dir'
        ? response.writeHead(301, { Location: '/dir/' }).end()
        : response.writeHead(200, { 'Content-Type': 'text/html' }).end('<a href="x.whl">'),
    );
    const { daemon, site } = await openSite(folder());
    await site.run('catalog', 'follow', 'raw', `${feed.url}/`, '--prefix', '/r');
    const redirect = await askWhole(`${daemon.url}/r/dir`);
    expect(redirect).toMatchObject({ status: 301, headers: { location: './dir/' } });
    expect((await askWhole(`${daemon.url}/r/dir/`)).body.toString()).toBe('<a href="x.whl">');
    await daemon.stop();
    expect(JSON.parse(await site.run('sources', 'list', '--json'))).toEqual([]);
  });

  it('are passed on as they are without metadata, and never from an earlier time', async () => {
    const feed = folder();
    writeFileSync(join(feed, 'news.txt'), 'old');
    const { follow, get, listed } = await openSite(feed);
    await follow('raw');
    expect((await get('news.txt')).body.toString()).toBe('old');
    writeFileSync(join(feed, 'news.txt'), 'new and longer');
    const now = await get('news.txt');
    expect(now.body.toString()).toBe('new and longer');
    expect(now.headers['cache-control']).toBe('public, s-maxage=60, max-age=60');
    expect(await get('absent')).toMatchObject({ status: 404 });
    expect(await listed()).toMatchObject({ format: 'raw', follows: true });
  });
});
