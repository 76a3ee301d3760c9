import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ask, askWhole, readWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { digestOfGenerated, type Generated, generate, serveGenerated } from '../support/generated.ts';
import { describeMongo, mongodb } from '../support/mongodb.ts';
import { ownedPath } from '../support/owned-path.ts';
import { openOf, processes } from '../support/processes.ts';
import { type DaemonProcess, makeSite, type Site } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const MIB = 1024 * 1024;
/** More than sockets and daemon hold for a client that does not read. */
const LARGE = generate(1, 32 * MIB);
const SMALL = generate(2, 1000);
/** Save requests wait for it in the outbox. */
const NO_BROKER = 'amqp://127.0.0.1:1//';

/** Paths of one worker, since each has its part of the limits. */
const [LARGE_PATH, SMALL_PATH] = [ownedPath(0, 'large'), ownedPath(0, 'small')];

/** A feed that lets each worker have one connection. */
const scene = async (
  settings: Readonly<Record<string, string | number>>,
  contents: Readonly<Record<string, Generated>>,
  workers = 1,
) => {
  const sent = new Map<string, number>();
  const feed = await startFeed(
    serveGenerated(new Map(Object.entries(contents)), (path, bytes) => sent.set(path, (sent.get(path) ?? 0) + bytes)),
  );
  const site = makeSite(start, folder(), { workers, max_connections: workers, ...settings });
  for (const [path, content] of Object.entries(contents))
    await site.run('catalog', 'add', path, feed.url + path, '--checksum', `sha256:${digestOfGenerated(content)}`);
  const daemon = await site.serve();
  return {
    feed,
    site,
    daemon,
    sent: (path: string) => sent.get(path) ?? 0,
    asked: () => feed.requests.map(({ url }) => url),
  };
};

/** The settings of a dispatch mode. */
const dispatching = (dispatch: string) => ({ dispatch, ...(dispatch === 'celery' && { broker_url: NO_BROKER }) });

/** The processes that answer. */
const pidsOf = async (site: Site, daemon: DaemonProcess): Promise<readonly number[]> => {
  // Its own status says whether the broker is there.
  const { stdout } = await site.start('status', '--json').ended;
  const { workers } = JSON.parse(stdout.toString());
  return workers.length === 0 ? [daemon.pid] : workers.map(({ pid }: { readonly pid: number }) => pid);
};

// Together, since the bytes wait a minute for others.
it('bytes that all clients have read give the disk its room back, in every mode that keeps no copy', async () => {
  const modes = [
    ['none', 1],
    ['celery', 1],
    ['none', 2],
  ] as const;
  const freed = modes.map(async ([dispatch, workers]) => {
    const { daemon, site, sent } = await scene(dispatching(dispatch), { [LARGE_PATH]: LARGE }, workers);
    const slow = await ask(daemon.url + LARGE_PATH);
    await until(() => sent(LARGE_PATH) === LARGE.size);
    const answering = await pidsOf(site, daemon);
    const spills = () => answering.flatMap(openOf).filter((name) => name.includes('.spill'));
    expect(spills()).not.toEqual([]);
    expect((await readWhole(slow)).sha256).toBe(digestOfGenerated(LARGE));
    await until(() => spills().length === 0);
  });
  await Promise.all(freed);
});

describe.each([
  ['save', 1],
  ['none', 1],
  ['celery', 1],
  ['save', 2],
  ['none', 2],
])('a client that reads nothing, with dispatch = %s and %s worker(s)', (dispatch, workers) => {
  it('leaves the connection to the feed to others, and gets its bytes from disk', async () => {
    const contents = { [LARGE_PATH]: LARGE, [SMALL_PATH]: SMALL };
    const { daemon, site, sent, asked } = await scene(dispatching(dispatch), contents, workers);
    const slow = await ask(daemon.url + LARGE_PATH);
    const { sha256 } = await askWhole(daemon.url + SMALL_PATH);
    expect(sha256).toBe(digestOfGenerated(SMALL));
    expect(sent(LARGE_PATH)).toBe(LARGE.size);
    const late = await ask(daemon.url + LARGE_PATH);
    const [first, second] = await Promise.all([readWhole(slow), readWhole(late)]);
    expect([first.sha256, second.sha256]).toEqual([digestOfGenerated(LARGE), digestOfGenerated(LARGE)]);
    expect(asked().filter((path) => path === SMALL_PATH)).toHaveLength(1);
    await daemon.logged('request', { path: LARGE_PATH, outcome: 'complete', verified: 'sha256' }, 2);
    if (dispatch !== 'save') expect(readdirSync(join(site.stateDir, 'spill'))).toEqual([]);
    else expect(asked()).toEqual([LARGE_PATH, SMALL_PATH]);
    expect((await daemon.stop()).status).toBe(0);
  });
});

describeMongo('a client that reads nothing, with dispatch = deferred', () => {
  const mongo = mongodb();

  it('leaves the connection to the feed to others; its save request follows when it has read all', async () => {
    const server = await mongo.server();
    const { name, pulp } = await mongo.database(server);
    const contents = new Map([['/large', LARGE] as const, ['/small', SMALL] as const]);
    const feed = await startFeed(serveGenerated(contents));
    const importer_id = await pulp.importer({});
    for (const [path, content] of contents) {
      const unit = { unit_id: path, unit_type_id: 'rpm', url: feed.url + path };
      await pulp.unitOf('rpm', path);
      await pulp.entry({ path, importer_id, ...unit, checksum: digestOfGenerated(content), algorithm: 'sha256' });
    }
    const settings = { dispatch: 'deferred', mongodb_url: server.url + name, max_connections: 1 };
    const daemon = await makeSite(start, folder(), settings).serve();
    await daemon.logged('MongoDB available');
    const slow = await ask(`${daemon.url}/large`);
    expect((await askWhole(`${daemon.url}/small`)).sha256).toBe(digestOfGenerated(SMALL));
    await daemon.logged('save queued', { unit: '/small' });
    expect((await readWhole(slow)).sha256).toBe(digestOfGenerated(LARGE));
    await daemon.logged('save queued', { unit: '/large' });
    expect(feed.requests.map(({ url }) => url)).toEqual(['/large', '/small']);
    expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
  });
});

describe.each([
  ['save', 1],
  ['none', 1],
  ['none', 2],
])('a client whose bytes wait on disk, with dispatch = %s and %s worker(s)', (dispatch, workers) => {
  it('holds no transfer slot', async () => {
    const contents = { [LARGE_PATH]: LARGE, [SMALL_PATH]: SMALL };
    const { daemon, sent } = await scene({ dispatch, max_transfers: workers }, contents, workers);
    const slow = await ask(daemon.url + LARGE_PATH);
    expect((await askWhole(daemon.url + SMALL_PATH)).status).toBe(503);
    await until(() => sent(LARGE_PATH) === LARGE.size);
    expect((await askWhole(daemon.url + SMALL_PATH)).sha256).toBe(digestOfGenerated(SMALL));
    expect((await readWhole(slow)).sha256).toBe(digestOfGenerated(LARGE));
  });
});

describe.each(['save', 'none'])(
  'a newcomer, while 200 clients of its feed read nothing, with dispatch = %s',
  (dispatch) => {
    it('gets its file, and they get theirs', async () => {
      const large = Array.from({ length: 10 }, (_, seed) => generate(seed, 12 * MIB));
      const paths = large.map((_, at) => `/${at}`);
      const contents = { ...Object.fromEntries(large.map((content, at) => [paths[at], content])), '/small': SMALL };
      const { daemon, asked } = await scene({ dispatch, max_connections: 4 }, contents);
      const slow = await Promise.all(
        Array.from({ length: 20 }, () => paths).flatMap((all) => all.map((path) => ask(daemon.url + path))),
      );
      const { sha256 } = await askWhole(`${daemon.url}/small`);
      expect(sha256).toBe(digestOfGenerated(SMALL));
      const first = await Promise.all(slow.splice(0, 10).map(readWhole));
      expect(first.map((one) => one.sha256)).toEqual(large.map(digestOfGenerated));
      for (const one of slow) one.destroy();
      // A copy in the making has all bytes for those that come late; a spill only what its clients lack.
      if (dispatch === 'save') expect(asked().toSorted()).toEqual([...paths, '/small']);
      await daemon.logged('request', { outcome: 'left' }, slow.length);
      expect((await daemon.stop()).status).toBe(0);
    });
  },
);

describe('a spill file that is full', () => {
  it('lets a transfer wait for its client; others are refused a place, and the feed is not blamed', async () => {
    const settings = { dispatch: 'none', spill_limit: '1 MiB', head_timeout: '400ms', attempts: 1 };
    const { daemon, sent, asked, site } = await scene(settings, { '/large': LARGE, '/small': SMALL });
    const slow = await ask(`${daemon.url}/large`);
    const refused = await askWhole(`${daemon.url}/small`);
    expect(refused.status).toBe(503);
    expect(sent('/large')).toBeLessThan(LARGE.size);
    const [line] = await daemon.logged('request', { path: '/small' });
    expect(line).toMatchObject({ error: expect.stringContaining('max_connections') });
    expect(await site.run('sources', 'list')).not.toContain('cooling');
    expect((await readWhole(slow)).sha256).toBe(digestOfGenerated(LARGE));
    expect(asked()).toEqual(['/large']);
  });
});

describe.each([
  ['save', 1],
  ['none', 1],
  ['save', 2],
  ['none', 2],
])('a client that leaves shortly before the end, with dispatch = %s and %s worker(s)', (dispatch, workers) => {
  it('finds the content when it comes back before or after the end, and the feed is asked once', async () => {
    const content = generate(3, 600_000);
    let goOn = () => {};
    const feed = await startFeed((_, response) => {
      response.writeHead(200, { 'Content-Length': content.size });
      const all = Buffer.concat(Array.from({ length: 10 }, (_, index) => content.block(index)));
      response.write(all.subarray(0, 200_000));
      goOn = () => response.end(all.subarray(200_000));
    });
    const site = makeSite(start, folder(), { workers, dispatch, verify_whole_below: 0 });
    await site.run('catalog', 'add', '/a', `${feed.url}/a`, '--checksum', `sha256:${digestOfGenerated(content)}`);
    const daemon = await site.serve();
    const leaver = await ask(`${daemon.url}/a`);
    leaver.destroy();
    await daemon.logged('request', { outcome: 'left' });
    const coming = await ask(`${daemon.url}/a`);
    goOn();
    const back = await readWhole(coming);
    expect(back.sha256).toBe(digestOfGenerated(content));
    if (dispatch === 'save') await daemon.logged('saved');
    expect((await askWhole(`${daemon.url}/a`)).sha256).toBe(digestOfGenerated(content));
    expect(feed.requests).toHaveLength(1);
    expect((await daemon.stop()).status).toBe(0);
  });
});
