import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeApt } from '../support/apt.ts';
import { askWhole } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { makeDnf } from '../support/dnf.ts';
import { serveContents } from '../support/feeds.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { refreshing } from '../support/refreshed.ts';
import {
  buildRpm,
  builtFiles,
  DEB_TOOLS,
  indexYum,
  itNeeding,
  makeFilesRepository,
  makeSuiteRepository,
  makeYumRepository,
  YUM_TOOLS,
} from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds, serveFolder } from '../support/site-feeds.ts';
import { daysAgo, letDaysPass } from '../support/time-passes.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const BEAR = { name: 'bear', version: '4.1', size: 2_000 };
const OWL = { name: 'owl', version: '1.0', size: 2_000 };
const CAT = { name: 'cat', version: '1.0', size: 3_000 };

const KEEPING = { attempts: 1, metadata_max_age: 0, keep_revisions: '30d' };

type Settings = Readonly<Record<string, string | number>>;

const openSite = async (feedFolder: string, settings: Settings = KEEPING) => {
  const feed = await startFeed(serveFolder(feedFolder));
  const site = makeSite(start, folder(), settings);
  const daemon = await site.serve();
  let reads = 0;
  return {
    ...{ site, daemon, feed },
    follow: (format: string, ...options: string[]) =>
      site.run('catalog', 'follow', format, `${feed.url}/`, '--prefix', '/r', ...options),
    get: (path: string) => askWhole(`${daemon.url}${path}`),
    asked: (path: string) => feed.requests.filter(({ url }) => url === `/${path}`).length,
    /** Has the daemon read what its feed has now. */
    read: async (entryPoint: string) => {
      reads += 1;
      await askWhole(`${daemon.url}/r/${entryPoint}`);
      await daemon.logged('repository refreshed', { prefix: '/r' }, reads);
    },
    label: (...args: string[]) => site.run('catalog', 'label', '/r', ...args),
    pass: (days: number) => letDaysPass(site.stateDir, days),
  };
};

const packages = (files: readonly { readonly path: string; readonly sha256: string }[]) =>
  files
    .filter(({ path }) => /\.(rpm|deb)$/.test(path))
    .map(({ sha256 }) => sha256)
    .sort();

const REPOMD = 'repodata/repomd.xml';

/** A feed that has a bear and an owl, then a cat and the owl. */
const makeZoo = () => {
  const repository = join(folder(), 'zoo');
  const before = makeYumRepository(repository, [BEAR, OWL]);
  const change = () => {
    rmSync(join(repository, 'bear-4.1-1.noarch.rpm'));
    buildRpm(repository, CAT);
    indexYum(repository);
    return builtFiles(repository);
  };
  return { repository, before, change };
};

describe.each([1, 2])('A dated view of a yum repository, with %s worker(s)', (workers) => {
  const open = (feedFolder: string, settings: Settings = KEEPING) => openSite(feedFolder, { workers, ...settings });

  itNeeding([...YUM_TOOLS, 'dnf'])('serves dnf as on each of two days, and removed packages from copies', async () => {
    const zoo = makeZoo();
    const { asked, daemon, follow, get, pass, read, site } = await open(zoo.repository);
    await follow('yum');
    await read(REPOMD);
    const dnf = (view: string) => makeDnf(start, folder(), `${daemon.url}/r${view}`);
    await dnf('').run('download', `--destdir=${join(folder(), 'now')}`, 'bear');
    pass(10);
    const after = zoo.change();
    await read(REPOMD);
    pass(5);

    const [then, later] = [`@${daysAgo(7)}`, `@${daysAgo(2)}`];
    const first = join(folder(), 'first');
    const before = asked('bear-4.1-1.noarch.rpm');
    const early = dnf(then);
    await early.run('download', `--destdir=${first}`, 'bear', 'owl');
    expect(packages(builtFiles(first))).toEqual(packages(zoo.before));
    expect(asked('bear-4.1-1.noarch.rpm')).toBe(before);
    await expect(early.run('download', `--destdir=${first}`, 'cat')).rejects.toThrow('cat');
    const second = join(folder(), 'second');
    const late = dnf(later);
    await late.run('download', `--destdir=${second}`, 'cat', 'owl');
    expect(packages(builtFiles(second))).toEqual(packages(after));
    await expect(late.run('download', `--destdir=${second}`, 'bear')).rejects.toThrow('bear');

    expect(await get(`/r${then}/${REPOMD}`)).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'public, s-maxage=86400, max-age=86400' },
    });
    for (const view of ['@latest', `@${daysAgo(0)}`]) {
      const now = await get(`/r${view}/${REPOMD}`);
      expect(now).toMatchObject({ status: 200, headers: { 'cache-control': 'public, s-maxage=0, max-age=0' } });
      expect(now.body.equals((await get(`/r/${REPOMD}`)).body)).toBe(true);
    }
    expect(JSON.parse(await site.run('catalog', 'revisions', '/r', '--json'))).toMatchObject([
      { prefix: '/r', revision: 1, packages: 2, labels: [] },
      { prefix: '/r', revision: 2, packages: 2, labels: [] },
    ]);
  });

  itNeeding(YUM_TOOLS)('says that a package was removed at the feed, and which views there are', async () => {
    const zoo = makeZoo();
    const { follow, get, label, pass, read } = await open(zoo.repository, { ...KEEPING, dispatch: 'none' });
    await follow('yum');
    await read(REPOMD);
    await label('prod');
    pass(10);
    zoo.change();
    await read(REPOMD);
    pass(5);
    const removed = await get(`/r@${daysAgo(7)}/bear-4.1-1.noarch.rpm`);
    expect(removed.status).toBe(404);
    expect(removed.body.toString()).toMatch(
      /^404 the feed no longer has a file of an earlier revision, and no copy of it was kept: \/r\/bear-4\.1-1\.noarch\.rpm of revision 1 of \/r, published \d{4}-\S+Z\n$/,
    );
    expect(removed.headers['cache-control']).toBe('no-store');
    expect(await get(`/r@${daysAgo(7)}/owl-1.0-1.noarch.rpm`)).toMatchObject({ status: 200 });
    const absent = await get(`/r@${daysAgo(7)}/cat-1.0-1.noarch.rpm`);
    expect(absent.status).toBe(404);
    expect(absent.body.toString()).toContain(': it is not in revision 1 of /r, published ');
    for (const [view, reason] of [
      ['nightly', 'no label has this name'],
      [daysAgo(20), 'no revision of that time is kept'],
      [daysAgo(-2), 'it is in the future'],
      ['2026-02-30', 'expected latest, a label, a date'],
    ]) {
      const { status, body } = await get(`/r@${view}/${REPOMD}`);
      expect(status).toBe(404);
      expect(body.toString()).toContain(reason);
      expect(body.toString()).toMatch(/there is latest, the labels prod, revisions of \S+Z to (\S+Z), \1 to now\n$/);
    }
  });

  itNeeding(YUM_TOOLS)('is moved from one revision to another by its label, and back', async () => {
    const zoo = makeZoo();
    const { follow, get, label, pass, read, site } = await open(zoo.repository);
    await follow('yum');
    await read(REPOMD);
    const old = await get(`/r/${REPOMD}`);
    expect(await label('prod')).toMatch(/^\/r@prod is revision 1 of \S+Z\n$/);
    pass(1);
    zoo.change();
    await read(REPOMD);
    const now = await get(`/r/${REPOMD}`);
    expect(now.body.equals(old.body)).toBe(false);
    const shown = async () => (await get(`/r@prod/${REPOMD}`)).body;
    expect((await shown()).equals(old.body)).toBe(true);
    await label('staging');
    expect(await label('prod', 'staging')).toMatch(/^\/r@prod is revision 2 of \S+Z, it was revision 1\n$/);
    expect((await shown()).equals(now.body)).toBe(true);
    expect(await get(`/r@prod/${REPOMD}`)).toMatchObject({
      headers: { 'cache-control': 'public, s-maxage=0, max-age=0' },
    });
    await label('prod', '1');
    expect((await shown()).equals(old.body)).toBe(true);
    await label('prod', daysAgo(0));
    expect((await shown()).equals(now.body)).toBe(true);
    expect(await site.run('catalog', 'labels')).toMatch(/^\/r\tprod\t2\t\S+Z\n\/r\tstaging\t2\t\S+Z\n$/);
    expect(await label('prod', '--delete')).toBe('removed /r@prod, it was revision 2\n');
    expect(await get(`/r@prod/${REPOMD}`)).toMatchObject({ status: 404 });
  });
});

describe.each([1, 2])('A dated view of a Debian repository, with %s worker(s)', (workers) => {
  itNeeding([...DEB_TOOLS, 'apt-get'])('serves apt as on each of two days', async () => {
    const repository = join(folder(), 'debian');
    const compressions = ['plain', 'xz'] as const;
    const before = makeSuiteRepository(repository, [BEAR, OWL], { compressions });
    const { daemon, follow, pass, read } = await openSite(repository, { ...KEEPING, workers });
    await follow('deb', '--suite', 'stable');
    await read('dists/stable/Release');
    const apt = async (view: string) => {
      const made = makeApt(start, folder(), `${daemon.url}/r${view}`, 'stable');
      await made.update();
      return made;
    };
    await (await apt('')).download(join(folder(), 'now'), ['bear']);
    pass(10);
    rmSync(repository, { recursive: true });
    const after = makeSuiteRepository(repository, [OWL, CAT], { compressions });
    await read('dists/stable/Release');
    pass(5);

    const early = await apt(`@${daysAgo(7)}`);
    const kept = packages(before.filter(({ path }) => path.includes('bear')));
    expect(packages(await early.download(join(folder(), 'first'), ['bear']))).toEqual(kept);
    expect(await early.knows('cat')).toBe(false);
    const late = await apt(`@${daysAgo(2)}`);
    expect(packages(await late.download(join(folder(), 'second'), ['owl', 'cat']))).toEqual(packages(after));
    expect(await late.knows('bear')).toBe(false);
  });
});

const HOSTILE = [
  ...['', '@', '..', '%2e%2e', '%00', '%0d%0aSet-Cookie:x', "';DROP%20TABLE%20labels;--", '2026-11-20T', '%ff'],
  ...[
    '%F0%9F%92%A9',
    'prod@prod',
    '9999999999999999999999',
    '-1',
    '__proto__',
    'constructor',
    '%25252e',
    'a'.repeat(3000),
  ],
];

describe.each([1, 2])('A dated view of a folder of files, with %s worker(s)', (workers) => {
  const open = (feedFolder: string, settings: Settings = KEEPING) => openSite(feedFolder, { workers, ...settings });

  const MANIFEST = 'PULP_MANIFEST';

  /** A feed of files, which was read with some contents and then with others, a day later. */
  const openChanged = async (
    before: Readonly<Record<string, string>>,
    after: Readonly<Record<string, string>>,
    settings: Settings = {},
  ) => {
    const repository = join(folder(), 'files');
    makeFilesRepository(repository, before);
    const opened = await open(repository, { ...KEEPING, ...settings });
    await opened.follow('files');
    await opened.read(MANIFEST);
    return {
      ...opened,
      change: async () => {
        opened.pass(2);
        rmSync(repository, { recursive: true });
        makeFilesRepository(repository, after);
        await opened.read(MANIFEST);
        opened.pass(2);
      },
    };
  };
  const then = `@${daysAgo(3)}`;

  it('is listed as it was', async () => {
    const { change, get } = await openChanged({ a: '1', 'b/c': '2' }, { a: '3', d: '4' }, { listings: 'yes' });
    await change();
    const names = async (path: string) => {
      const { status, body } = await get(path);
      return status === 200 ? [...body.toString().matchAll(/href="([^"]+)"/g)].map(([, name]) => name) : status;
    };
    expect(await names(`/r${then}/`)).toEqual(expect.arrayContaining(['a', 'b/']));
    expect(await names(`/r${then}/`)).not.toContain('d');
    expect(await names(`/r${then}/b/`)).toContain('c');
    expect(await names(`/r@${daysAgo(1)}/`)).toContain('d');
    expect(await names(`/r${then}/none/`)).toBe(404);
    expect(await names('/r@nightly/')).toBe(404);
  });

  it('leaves names with the sign of views as they are', async () => {
    const contents = { 'a@1/b': 'one', 'c@2026-11-20': 'two', '@scope/d': 'three' };
    const { change, get } = await openChanged(contents, { ...contents, more: 'four' });
    await change();
    for (const [path, text] of Object.entries(contents))
      for (const view of ['', then, '@latest'])
        for (const spelt of [path, path.replaceAll('@', '%40')])
          expect((await get(`/r${view}/${spelt}`)).body.toString()).toBe(text);
    expect(await get(`/r%40${daysAgo(3)}/a@1/b`)).toMatchObject({ status: 200 });
  });

  it('is 404 without a trace of its name, whatever that is', async () => {
    const { get } = await openChanged({ a: '1' }, { a: '2' });
    for (const name of HOSTILE) {
      const { status, headers, body } = await get(`/r@${name}/a`);
      expect([400, 404]).toContain(status);
      expect(headers['set-cookie']).toBeUndefined();
      expect(body.toString()).toMatch(/^4\d\d [^\n]+\n$/);
    }
    expect((await get('/r@latest/a')).body.toString()).toBe('1');
  });

  it('is not there unless revisions are kept, or one has a label', async () => {
    const { change, get, label } = await openChanged({ a: '1' }, { a: '2' }, { keep_revisions: 0 });
    for (const view of ['@latest', `@${daysAgo(0)}`, '@prod']) {
      const { status, body } = await get(`/r${view}/a`);
      expect(status).toBe(404);
      expect(body.toString()).toContain('/r has no such view: keep_revisions is 0, and no label was set\n');
    }
    await label('prod');
    await get('/r/a');
    await change();
    expect((await get('/r@prod/a')).body.toString()).toBe('1');
    expect((await get('/r@latest/a')).body.toString()).toBe('2');
    expect((await get(`/r@${daysAgo(3)}/a`)).body.toString()).toBe('1');
  });

  it('leaves no save request for a file of which no copy could be made', async () => {
    // Small content would be fetched as a whole for a part of it.
    const old = Buffer.from(someBytes(3_000_000));
    const listing = (...files: Buffer[]) =>
      Buffer.from(files.map((bytes, at) => `${'ab'[at]},${digestOf(bytes)},${bytes.length}\n`).join(''));
    const files = new Map([
      [`/${MANIFEST}`, listing(Buffer.from('1'), old)],
      ['/b', old],
    ]);
    const feed = await startFeed(serveContents(files));
    const site = makeSite(start, folder(), { ...KEEPING, save_partial: 'yes', cache_timeout: 0 });
    const daemon = await site.serve();
    await site.run('catalog', 'follow', 'files', `${feed.url}/`, '--prefix', '/r');
    const refresh = refreshing(daemon, '/r');
    const read = () => refresh(() => askWhole(`${daemon.url}/r/${MANIFEST}`));
    await read();
    await site.run('catalog', 'label', '/r', 'prod');
    files.set(`/${MANIFEST}`, listing(Buffer.from('2')));
    await read();
    // The feed still has it, unlisted. A part of it is served, and the whole is to be saved.
    const part = await askWhole(`${daemon.url}/r@prod/b`, { Range: 'bytes=0-2' });
    expect([part.status, part.body.equals(old.subarray(0, 3))]).toEqual([206, true]);
    const [dropped] = await daemon.logged('save request dropped', { path: '/r/b' });
    expect(dropped?.reason).toBe('/r/b has no copy, and cannot be fetched by itself: the catalog no longer lists it');
    expect(JSON.parse(await site.run('saves', 'list', '--json'))).toEqual([]);
    expect(JSON.parse(await site.run('copies', 'list', '--json'))).toEqual([]);
  });

  it('is in a backup, with its labels', async () => {
    const { change, daemon, get, label, site } = await openChanged({ a: '1' }, { a: '2' });
    await label('prod');
    await get('/r/a');
    await change();
    const backup = join(folder(), 'backup.tar');
    await site.run('backup', backup);
    await label('prod', 'latest');
    await daemon.stop();
    await site.run('restore', backup);
    const again = await site.serve();
    expect((await askWhole(`${again.url}/r@prod/a`)).body.toString()).toBe('1');
    expect((await askWhole(`${again.url}/r@prod/${MANIFEST}`)).body.toString()).toContain('a,');
  });

  it('is freed with its labels, and everything with its repository', async () => {
    const { change, get, label, site } = await openChanged({ a: '1' }, { a: '2' }, { keep_revisions: 0 });
    await label('prod');
    await change();
    const revisions = async () => JSON.parse(await site.run('catalog', 'revisions', '--json')).length;
    expect(await revisions()).toBe(2);
    expect(await site.run('catalog', 'list')).toContain('\tunsigned\t1 earlier revision, prod is 1\n');
    await label('prod', '2');
    await site.run('catalog', 'vacuum');
    expect((await get('/r@prod/a')).body.toString()).toBe('2');
    await site.run('catalog', 'remove', '--prefix', '/r');
    expect(await revisions()).toBe(0);
    expect(await get('/r@prod/a')).toMatchObject({ status: 404 });
  });
});

describe('A client of a dated view', () => {
  itNeeding([...DEB_TOOLS, 'apt-get'])('is made by files below it', async () => {
    const repository = join(folder(), 'debian');
    makeSuiteRepository(repository, [BEAR], { compressions: ['plain', 'xz'] });
    const { daemon, follow, get, label, read } = await openSite(repository);
    await follow('deb', '--suite', 'stable');
    await read('dists/stable/Release');
    await label('prod');
    const { body } = await get('/r@prod/.sources');
    expect(body.toString()).toContain(
      `Types: deb\nURIs: ${daemon.url}/r@prod/\nSuites: stable\nComponents: main\nCheck-Valid-Until: no\n`,
    );
    expect(await get('/r@nightly/.sources')).toMatchObject({ status: 404 });
  });

  itNeeding(YUM_TOOLS)('is made by files below it for dnf, of this repository alone', async () => {
    const { repository } = makeZoo();
    const { daemon, feed, follow, get, label, read, site } = await openSite(repository);
    await follow('yum');
    await site.run('catalog', 'follow', 'yum', `${feed.url}/`, '--prefix', '/r/below');
    await read(REPOMD);
    await label('prod');
    const { body } = await get('/r@prod/.repo');
    expect(body.toString()).toContain(`[r-prod]\nname=r-prod\nbaseurl=${daemon.url}/r@prod/\n`);
    expect(body.toString()).not.toContain('below');
    expect((await get('/r%40prod/.repo')).body.toString()).toContain('[r-prod]\nname=r-prod\n');
  });
});
