import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeApt } from '../support/apt.ts';
import { askWhole } from '../support/clients.ts';
import { makeDnf } from '../support/dnf.ts';
import { temporaryFolders } from '../support/folder.ts';
import { carriedEntry, carriedFiles, carriedRepository, madeBundle } from '../support/made-bundles.ts';
import { sha256 } from '../support/pipeline.ts';
import { processes } from '../support/processes.ts';
import { refreshing } from '../support/refreshed.ts';
import {
  buildRpm,
  builtFiles,
  DEB_TOOLS,
  indexYum,
  itNeeding,
  makeSuiteRepository,
  makeYumRepository,
  YUM_TOOLS,
} from '../support/repositories.ts';
import { MAIN, makeSite, type Site } from '../support/site.ts';
import { closedFeeds, serveFolder } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const BEAR = { name: 'bear', version: '1.0', size: 200_000 };
const CAT = { name: 'cat', version: '1.0', size: 3_000 };

const packages = (files: readonly { readonly path: string; readonly sha256: string }[]) =>
  files
    .filter(({ path }) => /\.(rpm|deb)$/.test(path))
    .map((one) => one.sha256)
    .sort();

/** A site with a line that follows a repository. All of its packages are fetched ahead. */
const openLine = async (format: 'yum' | 'deb', repository: string, workers = 1) => {
  const feed = await startFeed(serveFolder(repository));
  const site = makeSite(start, folder(), { metadata_max_age: 0, warm_rate: 0, workers });
  const daemon = await site.serve();
  await site.run('catalog', 'follow', format, `${feed.url}/`, '--prefix', '/r');
  const refresh = refreshing(daemon, '/r');
  const learn = () =>
    refresh(() => askWhole(`${daemon.url}/r/${format === 'yum' ? 'repodata/repomd.xml' : 'dists/stable/Release'}`));
  const warm = async () => {
    await learn();
    return site.run('warm', '/r', '--all');
  };
  return { feed, site, daemon, learn, warm };
};

/** A machine without a line. */
const aSite = (settings: Readonly<Record<string, string | number>> = {}): Site => makeSite(start, folder(), settings);

const failing = async (site: Site, ...args: string[]) => {
  const { status, stderr } = await site.start(...args).ended;
  return [status, stderr];
};

/** Everything in the state folder but what commands open. */
const stateOf = ({ stateDir }: Site) =>
  (existsSync(stateDir) ? readdirSync(stateDir, { recursive: true, encoding: 'utf8' }) : [])
    .filter((name) => /^(saved|metadata)\/.*[0-9a-f]{8}/.test(name) && !name.includes('.partial'))
    .sort();

describe.each([1, 2])('A bundle of a followed yum repository, with %s worker(s)', (workers) => {
  itNeeding([...YUM_TOOLS, 'dnf'])('is served to dnf by a machine without a line, and then what is new', async () => {
    const repository = join(folder(), 'zoo');
    const files = makeYumRepository(repository, [BEAR, CAT]);
    const { feed, site, warm } = await openLine('yum', repository, workers);
    await warm();
    const first = join(folder(), 'first.bundle');
    expect(await site.run('export-bundle', first)).toMatch(
      /^\/r: 2 packages, \d+ files of metadata; 0 packages have no copy here and are left out\nwritten to .*: \d+ files \(.*\)\n$/,
    );
    buildRpm(repository, { ...BEAR, version: '2.0' });
    indexYum(repository);
    await warm();
    const second = join(folder(), 'second.bundle');
    const text = await site.run('export-bundle', second, '/r', '--since', `${first}.manifest`);
    expect(text).toMatch(/, and 2 that the other machine has already\n$/);
    expect(readFileSync(second).length).toBeLessThan(readFileSync(first).length + 100_000);
    await feed.close();

    const alone = aSite({ workers });
    const daemon = await alone.serve();
    expect(await failing(alone, 'import-bundle', second)).toEqual([
      1,
      expect.stringMatching(/builds on a bundle that was not imported here.*: 2 files are missing \(\/r\/bear-1/),
    ]);
    expect(await alone.run('import-bundle', '--check', first)).toMatch(/^whole: .*: \d+ files for \/r, of /);
    expect(stateOf(alone)).toEqual([]);
    expect(await alone.run('import-bundle', first)).toMatch(/^\/r: 2 packages, /);
    const dnf = makeDnf(start, folder(), `${daemon.url}/r`);
    const installed = join(folder(), 'installed');
    await dnf.run('download', `--destdir=${installed}`, 'bear', 'cat');
    expect(packages(builtFiles(installed))).toEqual(packages(files));
    await dnf.run('install', 'cat');

    await alone.run('import-bundle', second);
    dnf.forget();
    const later = join(folder(), 'later');
    await dnf.run('download', `--destdir=${later}`, 'bear');
    expect(builtFiles(later).map(({ path }) => path)).toEqual(['bear-2.0-1.noarch.rpm']);
    expect(await alone.run('import-bundle', second)).toMatch(/: 0 files written \(0 B\), \d+ were there\n$/);
    const listed = JSON.parse(await alone.run('catalog', 'list', '--json'))[0];
    expect(listed).toMatchObject({ prefix: '/r', format: 'yum', packages: 3 });
    expect(listed.base ?? listed.url ?? listed.feed).toMatch(/^http:\/\/bundle\.invalid\/127\.0\.0\.1:/);
    expect(listed.follows).not.toBe(true);
  });

  itNeeding(YUM_TOOLS)('never asks a feed: what has no copy is answered at once', async () => {
    const repository = join(folder(), 'zoo');
    makeYumRepository(repository, [BEAR, CAT]);
    const { site, learn, feed } = await openLine('yum', repository, workers);
    await learn();
    const list = join(folder(), 'names');
    writeFileSync(list, 'bear\n');
    await site.run('warm', '/r', '--packages', list);
    const bundle = join(folder(), 'zoo.bundle');
    expect(await site.run('export-bundle', bundle)).toMatch(/; 1 package has no copy here and is left out\n/);
    const asked = feed.requests.length;
    const alone = aSite({ workers });
    const other = await alone.serve();
    await alone.run('import-bundle', bundle);
    expect((await askWhole(`${other.url}/r/cat-1.0-1.noarch.rpm`)).status).toBe(404);
    expect((await askWhole(`${other.url}/r/bear-1.0-1.noarch.rpm`)).status).toBe(200);
    expect(await failing(alone, 'catalog', 'refresh', '/r')).toEqual([
      1,
      expect.stringMatching(
        /\/r came in a bundle, and has no feed; expected `pulp-streamer import-bundle` of a newer one/,
      ),
    ]);
    expect(await alone.run('catalog', 'refresh')).toBe('');
    expect(await alone.run('catalog', 'list')).toMatch(/\tchanged by bundles\twell\t/);
    await alone.run('copies', 'purge', '--all');
    expect(await askWhole(`${other.url}/r/bear-1.0-1.noarch.rpm`)).toMatchObject({ status: 502 });
    await other.logged('request', { path: '/r/bear-1.0-1.noarch.rpm', code: 'NO_CANDIDATE' });
    expect(feed.requests.length).toBe(asked);
    // A run puts back what is gone.
    expect(await alone.run('import-bundle', bundle)).toMatch(/: 1 files written /);
    expect((await askWhole(`${other.url}/r/bear-1.0-1.noarch.rpm`)).status).toBe(200);
  });

  itNeeding(YUM_TOOLS)('is refused, and changes nothing, if it is cut or damaged', async () => {
    const repository = join(folder(), 'zoo');
    makeYumRepository(repository, [BEAR]);
    const { site, warm } = await openLine('yum', repository, workers);
    await warm();
    const bundle = join(folder(), 'zoo.bundle');
    await site.run('export-bundle', bundle);
    const whole = readFileSync(bundle);
    const alone = aSite({ workers });
    const spoilt = join(folder(), 'spoilt.bundle');
    for (const length of [0, 100, 5_000, whole.length - 20_000, whole.length - 1_100]) {
      copyFileSync(bundle, spoilt);
      truncateSync(spoilt, length);
      expect(await failing(alone, 'import-bundle', spoilt)).toEqual([1, expect.stringMatching(/^error: .*bundle/)]);
    }
    for (const at of [2_000, 100_000, whole.length - 3_000]) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(spoilt, bytes);
      expect((await failing(alone, 'import-bundle', spoilt))[0]).toBe(1);
    }
    expect(stateOf(alone)).toEqual([]);
    expect(JSON.parse(await alone.run('catalog', 'list', '--json'))).toEqual([]);
  });

  itNeeding(YUM_TOOLS)('needs its place: room for copies, a catalog of its own, and a free prefix', async () => {
    const repository = join(folder(), 'zoo');
    makeYumRepository(repository, [BEAR]);
    const { site, warm, feed } = await openLine('yum', repository, workers);
    await warm();
    const bundle = join(folder(), 'zoo.bundle');
    await site.run('export-bundle', bundle);
    const refused = async (settings: Readonly<Record<string, string>>, pattern: RegExp) =>
      expect(await failing(aSite(settings), 'import-bundle', bundle)).toEqual([1, expect.stringMatching(pattern)]);
    await refused({ save_limit: '100 k' }, /exceeds save_limit \(100000 bytes\)/);
    await refused({ dispatch: 'none' }, /dispatch is none/);
    expect(await failing(site, 'import-bundle', bundle)).toEqual([
      1,
      expect.stringMatching(/\/r is followed from .* on this machine; remove it first/),
    ]);
    const follower = aSite();
    await follower.run('catalog', 'follow', 'yum', repository, '--prefix', '/r/below');
    expect(await failing(follower, 'import-bundle', bundle)).toEqual([
      1,
      expect.stringMatching(/\/r overlaps \/r\/below, which is followed from .* on this machine/),
    ]);
    expect(await failing(site, 'export-bundle', bundle)).toEqual([1, expect.stringMatching(/exists; .*--replace/)]);
    expect(await failing(site, 'export-bundle', `${bundle}2`, '/x')).toEqual([
      1,
      expect.stringMatching(/\/x is not the prefix of a repository.*expected \/r/),
    ]);
    expect(await failing(aSite(), 'export-bundle', `${bundle}2`)).toEqual([1, expect.stringMatching(/no repository/)]);
    expect(existsSync(`${bundle}2`)).toBe(false);
    expect(
      await failing(site, 'export-bundle', `${bundle}2`, '--since', join(repository, 'repodata/repomd.xml')),
    ).toEqual([1, expect.stringMatching(/expected a whole bundle/)]);
    const backup = join(folder(), 'backup');
    await site.run('backup', backup);
    expect(await failing(aSite(), 'import-bundle', backup)).toEqual([1, expect.stringMatching(/it may not have /)]);
    expect(await failing(aSite(), 'restore', bundle)).toEqual([1, expect.stringMatching(/error: .*bundle/)]);
    await feed.close();
  });
});

describe.each([1, 2])('A bundle of a followed deb repository, with %s worker(s)', (workers) => {
  itNeeding([...DEB_TOOLS, 'apt-get'])('is served to apt by a machine without a line', async () => {
    const repository = join(folder(), 'debian');
    const files = makeSuiteRepository(repository, [BEAR, CAT], { compressions: ['plain', 'gz', 'xz'] });
    // As on Debian's mirrors: apt requires it to be listed, although no mirror keeps it.
    rmSync(join(repository, 'dists/stable/main/binary-amd64/Packages'));
    const { feed, site, warm } = await openLine('deb', repository, workers);
    await warm();
    const bundle = join(folder(), 'debian.bundle');
    await site.run('export-bundle', bundle);
    await feed.close();
    const alone = aSite({ workers });
    await alone.run('import-bundle', bundle);
    const daemon = await alone.serve();
    const apt = makeApt(start, folder(), `${daemon.url}/r`, 'stable');
    await apt.update();
    expect(packages(await apt.install(['bear', 'cat']))).toEqual(packages(files));
  });
});

describe('A bundle that somebody else has made', () => {
  const CONTENT = 'the bear';
  const NAME = `files/sha256-${sha256(CONTENT)}`;
  const REPOSITORY = carriedRepository();
  const ENTRY = carriedEntry('/r/bear.rpm', CONTENT, { unit_id: 'u', url: 'file:///etc/passwd' });

  const made = (files: Readonly<Record<string, string>>, about: { readonly mtime?: Date } = {}): Promise<string> =>
    madeBundle(folder(), files, about);
  const bundleOf = (entry: object = {}, repository: object = {}, files: Readonly<Record<string, string>> = {}) =>
    made({
      [NAME]: CONTENT,
      'entries/0.jsonl': `${JSON.stringify({ ...ENTRY, ...entry })}\n`,
      'repositories.json': JSON.stringify([{ ...REPOSITORY, ...repository }]),
      ...files,
    });

  it('is continued after it was killed, and counts only then', async () => {
    const texts = Array.from({ length: 1_500 }, (_, at) => `package ${at}`);
    const bundle = await made(carriedFiles(Object.fromEntries(texts.map((text, at) => [`/r/${at}.rpm`, text]))));
    const site = aSite();
    const running = site.start('import-bundle', bundle);
    // Its folder and its sidecar come before a copy.
    await until(() => stateOf(site).some((name) => name.endsWith('.rpm')));
    running.kill('SIGKILL');
    await running.ended;
    expect(JSON.parse(await site.run('catalog', 'list', '--json'))).toEqual([]);
    const { files, present } = JSON.parse(await site.run('import-bundle', '--json', bundle));
    expect(files + present).toBe(texts.length);
    expect(present).toBeGreaterThan(0);
    const daemon = await site.serve();
    for (const at of [0, 700, 1_499])
      expect((await askWhole(`${daemon.url}/r/${at}.rpm`)).body.toString()).toBe(`package ${at}`);
  });

  it('has content that several paths have once, and puts it at each', async () => {
    const other = { ...ENTRY, path: '/r/copy/bear.rpm' };
    const bundle = await bundleOf(
      {},
      {},
      {
        'entries/0.jsonl': [ENTRY, other].map((entry) => JSON.stringify(entry)).join('\n'),
      },
    );
    const site = aSite();
    await site.run('import-bundle', bundle);
    const daemon = await site.serve();
    for (const { path } of [ENTRY, other])
      expect((await askWhole(`${daemon.url}${path}`)).body.toString()).toBe(CONTENT);
  });

  it('may have any number of paths of one content, with few files open', async () => {
    const paths = Array.from({ length: 400 }, (_, at) => `/r/${at}.rpm`);
    const lines = paths.map((path) => JSON.stringify({ ...ENTRY, path })).join('\n');
    const bundle = await bundleOf({}, {}, { 'entries/0.jsonl': lines });
    const site = aSite();
    const limited = ['-c', 'ulimit -n 200; exec "$0" "$@"', process.execPath, MAIN, 'import-bundle', bundle];
    const { status, stderr } = await start('sh', [...limited, '--config', site.config]).ended;
    expect([status, stderr]).toEqual([0, '']);
    const daemon = await site.serve();
    for (const path of [paths[0], paths.at(-1)])
      expect((await askWhole(`${daemon.url}${path}`)).body.toString()).toBe(CONTENT);
  });

  it('states no time that is none, and none to come', async () => {
    const site = aSite();
    const bundle = await made(
      { [NAME]: CONTENT, 'entries/0.jsonl': JSON.stringify(ENTRY), 'repositories.json': JSON.stringify([REPOSITORY]) },
      { mtime: new Date(8.64e15) },
    );
    await site.run('import-bundle', bundle);
    const daemon = await site.serve();
    const { headers } = await askWhole(`${daemon.url}/r/bear.rpm`);
    expect(Date.parse(headers['last-modified'] ?? '')).toBeLessThanOrEqual(Date.now());
  });

  it('serves what it has, and leads nowhere else', async () => {
    const site = aSite();
    await site.run('import-bundle', await bundleOf());
    const [entry] = JSON.parse(await site.run('catalog', 'show', '/r/bear.rpm', '--json'));
    expect(entry.url).toBe('http://bundle.invalid/etc/passwd');
    const daemon = await site.serve();
    expect((await askWhole(`${daemon.url}/r/bear.rpm`)).body.toString()).toBe(CONTENT);
  });

  it.each<readonly [string, Parameters<typeof bundleOf>, RegExp]>([
    ['an entry outside of its prefix', [{ path: '/other/bear.rpm' }], /is not below the prefix \/r/],
    ['an entry that leads out of its prefix', [{ path: '/r/../other/bear.rpm' }], /is not below the prefix \/r/],
    ['an entry of another size', [{ size: 9 }], /has 9 bytes, and its file 8/],
    ['an entry of content that it lacks', [{ checksum: sha256('x') }], /1 files are missing/],
    ['an entry without a checksum', [{ checksum: undefined }], /line 1: checksum: /],
    ['control characters', [{ path: '/r/\u0000' }], /path: expected no control characters/],
    ['a repository of another format', [{}, { format: 'raw' }], /format: /],
    ['a prefix that is none', [{}, { prefix: '/r/../..' }], /prefix: /],
    ['a list that is none', [{}, {}, { 'manifest.json': '{"format":1}' }], /manifest\.json: version: Invalid input/],
    ['a date that is none', [{}, { succeeded: 1e300 }], /succeeded: /],
    [
      'a line in a name',
      [{}, { selection: { components: ['main\nTrusted: yes'] } }],
      /components\.0: expected no control/,
    ],
    ['entries that are not there', [{}, { entries: 'entries/1.jsonl' }], /expected entries\/1\.jsonl in it/],
    ['a path as a name', [{}, {}, { '../../etc/passwd': 'x' }], /it may not have|expected a whole bundle/],
    ['a file that its name does not state', [{}, {}, { [`files/sha256-${sha256('y')}`]: 'x' }], /other content than/],
    ['a name of another kind', [{}, {}, { 'saved/ab/cd': 'x' }], /it may not have saved\/ab\/cd/],
  ])('is refused for %s', async (_, given, pattern) => {
    const site = aSite();
    expect(await failing(site, 'import-bundle', await bundleOf(...given))).toEqual([1, expect.stringMatching(pattern)]);
    expect(stateOf(site)).toEqual([]);
  });
});
