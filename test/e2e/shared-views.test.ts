import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { askWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { describeMongo, serverName } from '../support/mongodb.ts';
import { processes } from '../support/processes.ts';
import {
  buildRpm,
  indexYum,
  itNeeding,
  makeFilesRepository,
  makeYumRepository,
  YUM_TOOLS,
} from '../support/repositories.ts';
import { sharedStores } from '../support/shared-catalog.ts';
import { type DaemonProcess, makeSite, type Site } from '../support/site.ts';
import { closedFeeds, serveFolder } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const ROUNDS = 3;
const CLIENTS = 3;
const contentOf = (round: number): string => `content of round ${round}\n`.repeat(2_000);
const OLDEST = contentOf(0);

/** A client that asks for a file again and again, each time with the validators of an answer before. */
const askAgain = async (url: string, isOver: () => boolean) => {
  const bodies = new Map<string, string>();
  const wrong: string[] = [];
  let [asked, unchanged, partial] = [0, 0, 0];
  while (!isOver()) {
    const [etag = ''] = [...bodies.keys()].slice(asked % Math.max(1, bodies.size));
    const way = etag === '' ? 0 : asked % 3;
    const headers = [{}, { 'If-None-Match': etag }, { 'If-Range': etag, Range: 'bytes=10-29' }][way] ?? {};
    asked += 1;
    const { status, body, headers: got } = await askWhole(url, headers);
    const tag = got.etag ?? '';
    const text = body.toString();
    if (status === 304) {
      unchanged += 1;
      if (way !== 1 || tag !== etag) wrong.push(`304 of ${tag} for ${etag}`);
    } else if (status === 206) {
      partial += 1;
      if (way !== 2 || tag !== etag || text !== bodies.get(tag)?.slice(10, 30)) wrong.push(`206 of ${tag} for ${etag}`);
    } else if (status !== 200) wrong.push(`${status} ${text}`);
    else if ((bodies.get(tag) ?? text) !== text) wrong.push(`two contents of ${tag}`);
    else bodies.set(tag, text);
  }
  return { bodies, wrong, unchanged, partial };
};

describeMongo(`Views of two streamers that share a catalog in ${serverName}`, () => {
  const stores = sharedStores();

  const open = async (settings: Readonly<Record<string, string | number>> = {}) => {
    const repository = join(folder(), 'files');
    const feed = await startFeed(serveFolder(repository));
    const { url } = await stores.catalog();
    const all = { catalog_type: 'shared', shared_catalog_url: url, attempts: 1, metadata_max_age: 0, ...settings };
    const sites = [makeSite(start, folder(), all), makeSite(start, folder(), all)] as const;
    return { feed, repository, sites };
  };

  it('never give a client other bytes than those of one revision, while labels move and revisions go', async () => {
    const { feed, repository, sites } = await open();
    const [one, two] = sites;
    makeFilesRepository(repository, { a: OLDEST });
    await one.run('catalog', 'import', 'files', `${feed.url}/`, '--prefix', '/r');
    const daemons = (await Promise.all(sites.map((site) => site.serve()))) as [DaemonProcess, DaemonProcess];
    /** Each has a copy of its own. */
    const keep = (times: number) =>
      Promise.all(
        daemons.map(async (daemon) => {
          await askWhole(`${daemon.url}/r/a`);
          await daemon.logged('saved', { path: '/r/a' }, times);
        }),
      );
    await keep(1);
    await one.run('catalog', 'label', '/r', 'prod');
    let isOver = false;
    const clients = daemons.flatMap(({ url }) =>
      Array.from({ length: CLIENTS }, () => askAgain(`${url}/r@prod/a`, () => isOver)),
    );
    const turn = (round: number): readonly [Site, Site] => (round % 2 === 0 ? [one, two] : [two, one]);
    try {
      for (let round = 1; round <= ROUNDS; round += 1) {
        const [reading, moving] = turn(round);
        makeFilesRepository(repository, { a: contentOf(round) });
        // Revisions without a label go as this one is published, and labels move at the same time.
        await Promise.all([
          reading.run('catalog', 'refresh', '/r'),
          moving.run('catalog', 'label', '/r', `round-${round}`, 'prod'),
        ]);
        await keep(round + 1);
        await moving.run('catalog', 'label', '/r', 'prod', 'latest');
        await Promise.all([
          reading.run('catalog', 'label', '/r', 'prod', `round-${round}`),
          moving.run('catalog', 'label', '/r', 'next', 'latest'),
        ]);
        await reading.run('catalog', 'label', '/r', 'prod', 'next');
        await moving.run('catalog', 'label', '/r', `round-${round}`, '--delete');
      }
    } finally {
      isOver = true;
    }
    const known = new Set(Array.from({ length: ROUNDS + 1 }, (_, round) => contentOf(round)));
    const seen = new Set<string>();
    for (const { bodies, wrong } of await Promise.all(clients)) {
      expect(wrong).toEqual([]);
      for (const text of bodies.values()) {
        expect(known.has(text)).toBe(true);
        seen.add(text);
      }
    }
    expect(seen.size).toBeGreaterThan(1);
    for (const { url } of daemons) expect((await askWhole(`${url}/r@prod/a`)).body.toString()).toBe(contentOf(ROUNDS));
    const revisions = JSON.parse(await one.run('catalog', 'revisions', '/r', '--json'));
    expect(revisions.at(-1)).toMatchObject({ labels: expect.arrayContaining(['next', 'prod']) });
  });

  it('are of whole revisions, also if both import the repository at once', async () => {
    const { repository, sites } = await open();
    const names = Array.from({ length: 200 }, (_, at) => `file-${at}`);
    const make = (those: readonly string[], text: string) =>
      makeFilesRepository(repository, Object.fromEntries(those.map((name) => [name, `${text} ${name}`])));
    make(names, 'first');
    const serve = serveFolder(repository);
    const held: (() => void)[] = [];
    const feed = await startFeed((request, response) => {
      if (request.url === '/PULP_MANIFEST') held.push(() => serve(request, response));
      else serve(request, response);
    });
    const args = ['catalog', 'import', 'files', `${feed.url}/`, '--prefix', '/r', '--json'] as const;
    const [one, two] = sites;
    await one.run('catalog', 'list');
    const running: Promise<string>[] = [];
    for (const [at, site] of sites.entries()) {
      running.push(site.run(...args));
      await until(() => held.length > at);
    }
    // Both have begun, and read different states of the feed.
    held[1]?.();
    expect(JSON.parse((await running[1]) ?? '')).toMatchObject({ revision: 1, packages: 200 });
    await one.run('catalog', 'label', '/r', 'prod');
    make(names.slice(100), 'second');
    held[0]?.();
    expect(JSON.parse((await running[0]) ?? '')).toMatchObject({ revision: 2, packages: 100 });

    const list = async (what: string) => JSON.parse(await two.run(what, 'list', '--json'));
    expect(await list('catalog')).toMatchObject([{ prefix: '/r', packages: 100, labels: { prod: 1 } }]);
    expect(await list('importers')).toHaveLength(1);
    const daemons = await Promise.all(sites.map((site) => site.serve()));
    for (const { url } of daemons)
      for (const [view, count] of [
        ['', 100],
        ['@latest', 100],
        ['@prod', 200],
      ] as const) {
        const { body } = await askWhole(`${url}/r${view}/PULP_MANIFEST`);
        expect(body.toString().trim().split('\n')).toHaveLength(count);
      }
  });

  itNeeding(YUM_TOOLS)('do not share what is fetched ahead: each has what its own clients asked for', async () => {
    const { feed, repository, sites } = await open({ warm: 'yes', warm_rate: 0 });
    const bear = { name: 'bear', version: '1.0', size: 2_000 };
    const cat = { name: 'cat', version: '1.0', size: 3_000 };
    makeYumRepository(repository, [bear, cat]);
    await sites[0].run('catalog', 'import', 'yum', `${feed.url}/`, '--prefix', '/r');
    const daemons = (await Promise.all(sites.map((site) => site.serve()))) as [DaemonProcess, DaemonProcess];
    const ask = async (daemon: DaemonProcess, name: string) => {
      expect((await askWhole(`${daemon.url}/r/${name}-1.0-1.noarch.rpm`)).status).toBe(200);
      await daemon.logged('saved', { path: `/r/${name}-1.0-1.noarch.rpm` });
    };
    for (const daemon of daemons) await ask(daemon, 'bear');
    await ask(daemons[0], 'cat');
    for (const one of [bear, cat]) buildRpm(repository, { ...one, version: '2.0' });
    indexYum(repository);
    await sites[1].run('catalog', 'refresh', '/r');
    await daemons[0].logged('packages fetched ahead', { prefix: '/r', files: 2, failed: 0 });
    await daemons[1].logged('packages fetched ahead', { prefix: '/r', files: 1, failed: 0 });
    const asked = (name: string) => feed.requests.filter(({ url }) => url === `/${name}-2.0-1.noarch.rpm`).length;
    expect([asked('bear'), asked('cat')]).toEqual([2, 1]);
  });
});
