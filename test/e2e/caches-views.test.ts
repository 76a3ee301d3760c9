import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { makeApt } from '../support/apt.ts';
import { ask, askWhole, readWhole } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { makeDnf } from '../support/dnf.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import {
  DEB_TOOLS,
  itNeeding,
  makeFilesRepository,
  makeSuiteRepository,
  makeYumRepository,
  YUM_TOOLS,
} from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds, serveFolder } from '../support/site-feeds.ts';
import { startSquid } from '../support/squid.ts';
import { until } from '../support/until.ts';
import { startVarnish } from '../support/varnish.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const FIRST = 'of the first revision\n'.repeat(20);
const SECOND = 'of the second revision\n'.repeat(20);

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly etag: string;
  /** What a client takes for its date: apt takes the time of the download if there is no other. */
  readonly date: string;
}

const CACHES = [
  ['the streamer alone', [], async (url: string) => url],
  ['Squid', ['squid'], async (url: string) => (await startSquid(start, folder(), url)).url],
  ['Varnish', ['varnishd'], async (url: string) => (await startVarnish(start, folder(), url)).url],
] as const;

describe.each(CACHES)('A label that is moved, behind %s', (cacheName, needs, openCache) => {
  const it = itNeeding(needs);

  /** A label of the first of two revisions, whose files have copies, behind a cache. */
  const open = async (maxAge: string, contents: readonly (string | Uint8Array)[] = [FIRST, SECOND]) => {
    const repository = join(folder(), 'files');
    const feed = await startFeed(serveFolder(repository));
    const site = makeSite(start, folder(), { attempts: 1, metadata_max_age: maxAge, keep_revisions: '30d' });
    const daemon = await site.serve();
    const args = ['catalog', 'import', 'files', `${feed.url}/`, '--prefix', '/r'];
    for (const [at, content] of contents.entries()) {
      if (at > 0) rmSync(repository, { recursive: true });
      makeFilesRepository(repository, { a: content });
      await site.run(...args);
      await until(async () => (await askWhole(`${daemon.url}/r/a`)).body.equals(Buffer.from(content)));
      await daemon.logged('saved', { path: '/r/a' }, at + 1);
    }
    const move = (revision: number) => site.run('catalog', 'label', '/r', 'prod', `${revision}`);
    await move(1);
    const cache = await openCache(daemon.url);
    const get = async (path = 'a', headers: Readonly<Record<string, string>> = {}): Promise<Answer> => {
      const { status = 0, body, headers: got } = await askWhole(`${cache}/r@prod/${path}`, headers);
      return {
        status,
        text: body.toString(),
        etag: got.etag ?? '',
        date: got['last-modified'] ?? new Date().toUTCString(),
      };
    };
    return { get, move, url: `${cache}/r@prod/a` };
  };

  it('shows at once what it names, there and back, if nothing may be kept', async () => {
    const { get, move } = await open('0');
    const first = await get();
    expect([first.status, first.text]).toEqual([200, FIRST]);
    await move(2);
    const second = await get();
    expect([second.status, second.text]).toEqual([200, SECOND]);
    expect(second.etag).not.toBe(first.etag);
    await move(1);
    expect(await get()).toMatchObject({ status: 200, text: FIRST, etag: first.etag });
    expect((await get('PULP_MANIFEST')).text).toContain(`,${FIRST.length}\n`);
  });

  it('shows it once the time is over for which it may be kept', async () => {
    const { get, move } = await open('2s');
    expect((await get()).text).toBe(FIRST);
    await move(2);
    await until(async () => (await get()).text === SECOND);
    await move(1);
    await until(async () => (await get()).text === FIRST);
  });

  it('lets a download under way end as it began, and gives each client one content as a whole', async () => {
    // More than sockets and caches hold for a client that does not read.
    const contents = [someBytes(40_000_000), someBytes(40_000_000)] as const;
    const [first, second] = contents.map(digestOf);
    const { move, url } = await open('0', contents);
    const slow = await ask(url);
    await move(2);
    const next = await askWhole(url);
    expect(next.status).toBe(200);
    // A cache may let it join the transfer that is under way.
    expect(cacheName === 'the streamer alone' ? [second] : [first, second]).toContain(next.sha256);
    await move(1);
    expect((await readWhole(slow)).sha256).toBe(first);
    await until(async () => (await askWhole(url)).sha256 === first);
  });

  it('takes no validator of one revision for another, forwards and back', async () => {
    const { get, move } = await open('0');
    const first = await get();
    const expectWhole = async (text: string, other: Answer, own: Answer) => {
      // Dates have seconds: a client that has both within one is not told from one that has the newer.
      await until(() => Date.now() > Date.parse(other.date) + 1_000);
      const range = { Range: 'bytes=100-199' };
      const part = { status: 206, text: text.slice(100, 200), etag: own.etag };
      const whole = { status: 200, text, etag: own.etag };
      expect(await get('a', { 'If-None-Match': other.etag })).toMatchObject(whole);
      expect(await get('a', { 'If-None-Match': own.etag })).toMatchObject({ status: 304, etag: own.etag });
      // Varnish knows no lists of tags, and sends the whole.
      expect(['', text]).toContain((await get('a', { 'If-None-Match': `${other.etag}, ${own.etag}` })).text);
      expect(await get('a', { 'If-Modified-Since': other.date })).toMatchObject(whole);
      expect(await get('a', { 'If-Range': other.etag, ...range })).toMatchObject(whole);
      expect(await get('a', { 'If-Range': other.date, ...range })).toMatchObject(whole);
      expect(await get('a', { 'If-Range': own.etag, ...range })).toMatchObject(part);
      expect(await get('a', range)).toMatchObject(part);
      expect(await get('a', { 'If-Match': other.etag })).toMatchObject({ status: 412 });
    };
    await move(2);
    const second = await get();
    await expectWhole(SECOND, first, second);
    await move(1);
    await expectWhole(FIRST, second, first);
    await move(2);
    await expectWhole(SECOND, first, second);
  });
});

describe('A client of a label that is moved forwards and back, behind Squid', () => {
  /** A repository of a format with a bear, and then with an owl. */
  const open = async (format: 'yum' | 'deb', make: (repository: string, name: string) => unknown) => {
    const repository = join(folder(), 'repository');
    const feed = await startFeed(serveFolder(repository));
    const site = makeSite(start, folder(), { attempts: 1, metadata_max_age: 0, keep_revisions: '30d' });
    const daemon = await site.serve();
    const suite = format === 'deb' ? ['--suite', 'stable'] : [];
    for (const name of ['bear', 'owl']) {
      rmSync(repository, { recursive: true, force: true });
      make(repository, name);
      await site.run('catalog', 'import', format, `${feed.url}/`, '--prefix', '/r', ...suite);
    }
    const { url } = await startSquid(start, folder(), daemon.url);
    const move = (revision: number) => site.run('catalog', 'label', '/r', 'prod', `${revision}`);
    return { url: `${url}/r@prod`, move };
  };
  const aPackage = (name: string) => ({ name, version: '1.0', size: 2_000 });

  itNeeding(['squid', 'dnf', ...YUM_TOOLS])(
    'is dnf: it has what the label names, from one look to the next',
    async () => {
      const { url, move } = await open('yum', (repository, name) => makeYumRepository(repository, [aPackage(name)]));
      const dnf = makeDnf(start, folder(), url);
      for (const [revision, name] of [
        [1, 'bear'],
        [2, 'owl'],
        [1, 'bear'],
      ] as const) {
        await move(revision);
        const { stdout } = await dnf.run('--refresh', 'repoquery', '--qf', '%{name}\n');
        expect(stdout.toString().trim().split('\n')).toEqual([name]);
      }
    },
  );

  itNeeding(['squid', 'apt-get', ...DEB_TOOLS])(
    'is apt: it goes back once its lists are removed, since it takes no Release older than its own',
    async () => {
      const { url, move } = await open('deb', (repository, name) =>
        makeSuiteRepository(repository, [aPackage(name)], { compressions: ['plain', 'xz'] }),
      );
      const apt = makeApt(start, folder(), url, 'stable');
      const seen = async () => [await apt.knows('bear'), await apt.knows('owl')];
      await move(1);
      const before = await askWhole(`${url}/dists/stable/Release`);
      expect(before.headers).toMatchObject({ etag: expect.any(String) });
      expect(before.headers['last-modified']).toBeUndefined();
      await apt.update();
      expect(await seen()).toEqual([true, false]);
      await move(2);
      await apt.update();
      expect(await seen()).toEqual([false, true]);
      await move(1);
      expect(await askWhole(`${url}/dists/stable/Release`)).toMatchObject({ status: 200, sha256: before.sha256 });
      await apt.update();
      // It was sent the older one, and has kept the newer one without a word.
      expect(await seen()).toEqual([false, true]);
      apt.forget();
      await apt.update();
      expect(await seen()).toEqual([true, false]);
    },
  );
});
