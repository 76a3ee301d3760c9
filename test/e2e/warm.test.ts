import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import type { RequestListener, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeApt } from '../support/apt.ts';
import { askWhole } from '../support/clients.ts';
import { makeDnf } from '../support/dnf.ts';
import { temporaryFolders } from '../support/folder.ts';
import { freePorts } from '../support/ports.ts';
import { processes } from '../support/processes.ts';
import { refreshing } from '../support/refreshed.ts';
import {
  buildRpm,
  builtFile,
  DEB_TOOLS,
  indexYum,
  itNeeding,
  makeFlatRepository,
  makeYumRepository,
  YUM_TOOLS,
} from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds, serveFolder } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const BEAR = { name: 'bear', version: '1.0', size: 2_000 };
const CAT = { name: 'cat', version: '1.0', size: 3_000 };
const BEAR_1 = 'bear-1.0-1.noarch.rpm';
const BEAR_2 = 'bear-2.0-1.noarch.rpm';
const CAT_2 = 'cat-2.0-1.noarch.rpm';

/** A feed with two packages, and a daemon that follows it. */
const openSite = async (
  settings: Readonly<Record<string, string | number>> = {},
  around: (serve: RequestListener, repository: string) => RequestListener = (serve) => serve,
  ...options: string[]
) => {
  const repository = join(folder(), 'zoo');
  makeYumRepository(repository, [BEAR, CAT]);
  const feed = await startFeed(around(serveFolder(repository), repository));
  const site = makeSite(start, folder(), { metadata_max_age: 0, warm_rate: 0, ...settings });
  const daemon = await site.serve();
  await site.run('catalog', 'follow', 'yum', `${feed.url}/`, '--prefix', '/r', ...options);
  const get = (path: string) => askWhole(`${daemon.url}/r/${path}`);
  const refresh = refreshing(daemon, '/r');
  /** A client asks for the metadata until the daemon knows what the feed has. */
  const learn = () => refresh(() => get('repodata/repomd.xml'));
  return {
    ...{ site, daemon, feed, get, repository, learn },
    /** How often the feed was asked for a file. */
    asked: (path: string) => feed.requests.filter(({ url }) => url === `/${path}`).length,
    /** New versions, which the daemon knows then. */
    publish: async (version: string, ...names: (typeof BEAR)[]) => {
      for (const one of names) buildRpm(repository, { ...one, version });
      indexYum(repository);
      await learn();
    },
    /** Sets settings anew, and has the daemon read them. */
    reload: async (changed: Readonly<Record<string, string>>) => {
      const kept = readFileSync(site.config, 'utf8')
        .split('\n')
        .filter((line) => !Object.keys(changed).some((key) => line.startsWith(`${key}:`)));
      writeFileSync(site.config, [...kept, ...Object.entries(changed).map((pair) => pair.join(': '))].join('\n'));
      await site.run('reload');
    },
    status: async () => JSON.parse((await site.start('status', '--json').ended).stdout.toString()),
    warm: async (names: string | undefined, ...more: string[]) => {
      const list = join(folder(), 'names');
      if (names !== undefined) writeFileSync(list, names);
      const chosen = names === undefined ? ['--all'] : ['--packages', list];
      const { status, stdout, stderr } = await site.start('warm', '/r', ...chosen, ...more).ended;
      return { status, stdout: stdout.toString(), stderr };
    },
  };
};

type Rest = Parameters<typeof openSite> extends [unknown?, ...infer Others] ? Others : never;

/** Hours of the day that are never now, and always. */
const anHourAt = (from: number) => {
  const text = (hour: number) => `${String(((hour % 24) + 24) % 24).padStart(2, '0')}:00`;
  return `${text(from)}-${text(from + 1)}`;
};
const LATER = () => anHourAt(new Date().getHours() + 12);

describe.each([1, 2])('Warming a followed yum repository, with %s worker(s)', (workers) => {
  const open = (settings: Parameters<typeof openSite>[0], ...more: Rest) => openSite({ workers, ...settings }, ...more);

  itNeeding([...YUM_TOOLS, 'dnf'])(
    'fetches new versions of what clients have asked for, and nothing else',
    async () => {
      const { site, daemon, asked, publish, status, repository } = await open({ warm: 'yes' });
      const dnf = makeDnf(start, folder(), `${daemon.url}/r`);
      await dnf.run('download', `--destdir=${folder()}`, 'bear');
      await publish('2.0', BEAR, CAT);
      await daemon.logged('packages fetched ahead', { prefix: '/r', files: 1, failed: 0 });
      expect([asked(BEAR_2), asked(CAT_2)]).toEqual([1, 0]);

      dnf.forget();
      const second = folder();
      await dnf.run('download', `--destdir=${second}`, 'bear');
      expect(builtFile(second, BEAR_2)).toEqual(builtFile(repository, BEAR_2));
      expect(asked(BEAR_2)).toBe(1);
      expect((await status()).warming).toMatchObject({ state: 'idle', files: 1, failed: 0, waiting: 0 });
      expect(await site.run('status')).toMatch(/^warming +idle: 0 waiting, 1 fetched ahead \(\d/m);
    },
  );

  itNeeding(YUM_TOOLS)('ends for packages that no client asks for any more', async () => {
    const { site, daemon, get, learn, asked, publish, status } = await open({ warm: 'yes' });
    await learn();
    await get(BEAR_1);
    await publish('2.0', BEAR);
    await daemon.logged('packages fetched ahead', { files: 1 });
    // Nobody has asked for version 2 since: it counts as used when version 1 was.
    const sidecars = readdirSync(join(site.stateDir, 'saved'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.meta.json'))
      .map((name) => join(site.stateDir, 'saved', name));
    const [one, two] = sidecars.map((file) => Math.round(statSync(file).mtimeMs));
    expect([sidecars.length, one]).toEqual([2, two]);
    const longAgo = Date.now() / 1000 - 40 * 86_400;
    for (const file of sidecars) utimesSync(file, longAgo, longAgo);
    await publish('3.0', BEAR);
    await get('bear-3.0-1.noarch.rpm');
    await publish('4.0', BEAR);
    await daemon.logged('packages fetched ahead', { files: 1 }, 2);
    expect(asked('bear-4.0-1.noarch.rpm')).toBe(1);
    const { files, skipped } = (await status()).warming;
    expect([files, skipped]).toEqual([2, {}]);
  });

  itNeeding(YUM_TOOLS)('with warm_within: 0, fetches what was asked for at any time, and nothing else', async () => {
    const { site, daemon, get, learn, asked, publish } = await open({ warm: 'yes', warm_within: 0 });
    await learn();
    await get(BEAR_1);
    await daemon.logged('saved', { path: `/r/${BEAR_1}` });
    const saved = join(site.stateDir, 'saved');
    const longAgo = 1_000;
    for (const name of readdirSync(saved, { recursive: true, encoding: 'utf8' }))
      if (name.endsWith('.meta.json')) utimesSync(join(saved, name), longAgo, longAgo);
    await publish('2.0', BEAR, CAT);
    await daemon.logged('packages fetched ahead', { files: 1, failed: 0, skipped: 0 });
    expect([asked(BEAR_2), asked(CAT_2)]).toEqual([1, 0]);
  });

  itNeeding(YUM_TOOLS)('waits for its hours, and stays within its bytes', async () => {
    const { daemon, get, learn, asked, publish, reload, status } = await open({ warm: 'yes', warm_hours: LATER() });
    await learn();
    await get(BEAR_1);
    await get('cat-1.0-1.noarch.rpm');
    await publish('2.0', BEAR, { ...CAT, size: 50_000 });
    await until(async () => (await status()).warming.waiting === 2);
    expect((await status()).warming).toMatchObject({ state: 'outside-hours', files: 0 });
    await reload({ warm_hours: '', warm_bytes: '20 k' });
    await daemon.logged('packages fetched ahead', { files: 1, skipped: 1 });
    expect([asked(BEAR_2), asked(CAT_2)]).toEqual([1, 0]);
    expect((await status()).warming).toMatchObject({ skipped: { limit: 1 } });
  });

  itNeeding(YUM_TOOLS)('gives its place at the feed to a client, and begins again afterwards', async () => {
    const held: ServerResponse[] = [];
    let isHeld = true;
    const { daemon, get, learn, publish, asked } = await open(
      { warm: 'yes' },
      (serve, repository) => (request, response) => {
        if (request.url !== `/${BEAR_2}` || !isHeld) return serve(request, response);
        held.push(response);
        return response.writeHead(200, { 'Content-Length': builtFile(repository, BEAR_2).size }).flushHeaders();
      },
      '--feed-max-downloads',
      '1',
    );
    await learn();
    await get(BEAR_1);
    await publish('2.0', BEAR, CAT);
    await until(() => held.length === 1);
    const left = once(held[0] as ServerResponse, 'close');
    isHeld = false;
    expect((await get('cat-1.0-1.noarch.rpm')).status).toBe(200);
    await left;
    await daemon.logged('packages fetched ahead', { files: 1 });
    expect(asked(BEAR_2)).toBe(2);
  });

  itNeeding(YUM_TOOLS)('stops while the daemon is drained, and never asks a metered feed', async () => {
    const { site, daemon, get, learn, asked, publish, reload, status, feed, warm } = await open({ warm: 'yes' });
    await learn();
    await get(BEAR_1);
    await site.run('drain', '--quiet', '0');
    await publish('2.0', BEAR);
    await until(async () => (await status()).warming.waiting === 1);
    expect((await status()).warming.state).toBe('held');
    await reload({ metered_feeds: new URL(feed.url).host });
    await site.run('drain', '--off');
    await daemon.logged('packages fetched ahead', { files: 0, skipped: 1 });
    expect(asked(BEAR_2)).toBe(0);
    expect(await warm('bear')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/1 not fetched: its feed is metered/),
    });
    expect(await warm('bear', '--metered')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\/r: 1 of 1 packages fetched/),
    });
    expect(asked(BEAR_2)).toBe(1);
  });

  itNeeding(YUM_TOOLS)('counts what it does', async () => {
    const [admin] = await freePorts(1);
    const { get, learn, daemon, publish, repository } = await open({ warm: 'yes', admin_port: String(admin) });
    await learn();
    await get(BEAR_1);
    await publish('2.0', BEAR);
    await daemon.logged('packages fetched ahead', { files: 1 });
    const metrics = (await askWhole(`http://127.0.0.1:${admin}/metrics`)).body.toString();
    const { size } = builtFile(repository, BEAR_2);
    expect(metrics).toContain('\npulp_streamer_warmed_files_total 1\n');
    expect(metrics).toContain(`\npulp_streamer_warmed_bytes_total ${size}\n`);
    expect(metrics).toContain('\npulp_streamer_warming_files_waiting 0\n');
  });
});

describe.each([1, 2])('Warming a followed deb repository, with %s worker(s)', (workers) => {
  itNeeding([...DEB_TOOLS, 'apt-get'])('fetches what apt has asked for, by package and architecture', async () => {
    const repository = join(folder(), 'debs');
    makeFlatRepository(repository, [BEAR, CAT], { compressions: ['plain'] });
    const feed = await startFeed(serveFolder(repository));
    const site = makeSite(start, folder(), { metadata_max_age: 0, warm: 'yes', warm_rate: 0, workers });
    const daemon = await site.serve();
    await site.run('catalog', 'follow', 'deb', `${feed.url}/`, '--prefix', '/d', '--suite', './');
    const refresh = refreshing(daemon, '/d');
    const apt = makeApt(start, folder(), `${daemon.url}/d`, './');
    await refresh(() => askWhole(`${daemon.url}/d/./Release`));
    await apt.update();
    await apt.download(join(folder(), 'first'), ['bear']);
    makeFlatRepository(
      repository,
      [
        { ...BEAR, version: '0.9', epoch: 1 },
        { ...CAT, version: '2.0' },
      ],
      { compressions: ['plain'] },
    );
    await refresh(() => askWhole(`${daemon.url}/d/./Release`));
    await daemon.logged('packages fetched ahead', { prefix: '/d', files: 1, failed: 0 });
    expect(feed.requests.filter(({ url }) => /0\.9/.test(url ?? ''))).toHaveLength(1);
    expect(feed.requests.filter(({ url }) => /cat/.test(url ?? ''))).toHaveLength(0);
  });
});

describe('pulp-streamer warm', () => {
  itNeeding(YUM_TOOLS)('fetches the named packages, and says which names match nothing', async () => {
    const { learn, asked, warm, publish } = await openSite();
    await learn();
    await publish('2.0', BEAR, CAT);
    expect(await warm('# of the zoo\nbe*.noarch\n\nunicorn\n')).toEqual({
      status: 1,
      stdout: expect.stringMatching(/^\/r: 1 of 1 packages fetched \(\d.*\); 0 had a copy already\n$/),
      stderr: 'no package of /r is named unicorn\n',
    });
    expect([asked(BEAR_1), asked(BEAR_2), asked(CAT_2)]).toEqual([0, 1, 0]);
    // What a machine has installed is mostly of other repositories.
    const strangers = Array.from({ length: 120 }, (_, index) => `stranger-${index}`);
    const { stderr: many } = await warm(`bear\n${strangers.join('\n')}\n`);
    expect(many.split('\n')).toEqual([
      ...strangers.slice(0, 20).map((name) => `no package of /r is named ${name}`),
      ...['100 more names match nothing (--json lists all)', ''],
    ]);
    expect(await warm(undefined)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\/r: 1 of 1 packages fetched .*; 1 had a copy already\n$/),
    });
    const lines = (await warm(undefined, '--json')).stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).type)).toEqual(['planned', 'done']);
    const { status, stdout } = await warm('bear', '--json');
    expect([status, JSON.parse(stdout.split('\n')[0] ?? '')]).toEqual([
      0,
      { type: 'planned', files: 0, bytes: 0, kept: 1, unmatched: [] },
    ]);
  });

  itNeeding(YUM_TOOLS)('names what fails', async () => {
    const { learn, warm, feed } = await openSite({ attempts: 1 });
    await learn();
    await feed.close();
    const { status, stdout, stderr } = await warm('bear');
    expect([status, stdout]).toEqual([1, expect.stringMatching(/^\/r: 0 of 1 packages fetched .*; 1 failed\n$/)]);
    expect(stderr).toMatch(/^\/r\/bear-1\.0-1\.noarch\.rpm: /);
  });

  it('says what to do if it cannot', async () => {
    const site = makeSite(start, folder(), { dispatch: 'none' });
    const failing = async (...args: string[]) => {
      const { status, stderr } = await site.start('warm', ...args).ended;
      return [status, stderr];
    };
    expect(await failing('/r', '--all')).toEqual([1, expect.stringMatching(/no daemon runs here.*; start the daemon/)]);
    expect(await failing('/r')).toEqual([2, expect.stringMatching(/either --packages FILE or --all/)]);
    expect(await failing('r', '--all')).toEqual([1, expect.stringMatching(/expected the prefix/)]);
    const list = join(folder(), 'names');
    writeFileSync(list, '# nothing\n');
    expect(await failing('/r', '--packages', list)).toEqual([1, expect.stringMatching(/names no packages/)]);
    writeFileSync(list, 'two words\n');
    expect(await failing('/r', '--packages', list)).toEqual([1, expect.stringMatching(/'two words'/)]);
    writeFileSync(list, Array.from({ length: 60_000 }, (_, at) => `package-${at}\n`).join(''));
    expect(await failing('/r', '--packages', list)).toEqual([1, expect.stringMatching(/60000 names.*; divide it/)]);
    const daemon = await site.serve();
    expect(await failing('/r', '--all')).toEqual([1, expect.stringMatching(/expected dispatch = save/)]);
    await daemon.stop();
  });

  it('names the prefixes that it knows', async () => {
    const site = makeSite(start, folder());
    await site.serve();
    const { status, stderr } = await site.start('warm', '/r', '--all').ended;
    expect([status, stderr]).toEqual([1, expect.stringMatching(/\/r is not the prefix.*there are none yet/)]);
  });
});
