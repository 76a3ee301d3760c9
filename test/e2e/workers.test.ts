import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { filter, firstValueFrom } from 'rxjs';
import { watchDaemon } from '../../src/cli/top/events.ts';
import type { LiveState } from '../../src/observe/live/model/state.ts';
import { ask, askWhole, readWhole } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { startFeed, type TestFeed } from '../support/feeds.ts';
import { ownedPath } from '../support/owned-path.ts';
import { freePorts } from '../support/ports.ts';
import { createProcessGroup } from '../support/process-group.ts';
import { openOf } from '../support/run-process.ts';
import { type DaemonProcess, makeSite, type Site } from '../support/site.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { until } from '../support/until.ts';

const folder = temporaryFolders();

/** Larger than content that is verified before its head. */
const CONTENT = someBytes(2 << 20);
const DIGEST = digestOf(CONTENT);
const HALF = CONTENT.length / 2;

/** A feed that sends the second half of its content once it is told to; of some paths, anything at all. */
const startHeldFeed = async () => {
  let held: (() => void)[] = [];
  let holds = false;
  const feed = await startFeed(({ url = '', headers: { range } }, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const common = { ETag: '"1"', 'Content-Length': CONTENT.length - from };
    if (from > 0) {
      const part = `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}`;
      response.writeHead(206, { ...common, 'Content-Range': part }).end(CONTENT.subarray(from));
      return;
    }
    if (holds && url.startsWith('/silent/')) {
      held.push(() => response.writeHead(200, common).end(CONTENT));
      return;
    }
    response.writeHead(200, common);
    if (!holds) return void response.end(CONTENT);
    response.write(CONTENT.subarray(0, HALF));
    held.push(() => response.end(CONTENT.subarray(HALF)));
  });
  return {
    ...feed,
    hold: () => {
      holds = true;
    },
    /** Sends the rest of what is held. `goesOn`: what comes next is held again. */
    release: (goesOn = false) => {
      const waiting = held;
      [held, holds] = [[], goesOn];
      for (const one of waiting) one();
    },
    holding: () => held.length,
    asked: (path: string) => feed.requests.filter(({ url }) => url === path).length,
  };
};

/** The endpoints of the control socket and of the admin listener. */
const control = async (site: Site, method: string, path: string): Promise<string> => {
  const asked = request({ socketPath: join(site.stateDir, 'control.sock'), method, path }).end();
  return new Promise((resolve, reject) => {
    asked.on('response', (response) => resolve(text(response))).on('error', reject);
  });
};
const statusOf = async (site: Site) => JSON.parse(await control(site, 'GET', '/status'));

const metricsOf = async (port: number): Promise<ReadonlyMap<string, number>> => {
  const { body } = await askWhole(`http://127.0.0.1:${port}/metrics`);
  const lines = body
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
};

/** Whether the live page shows an attempt of a path. */
const hasBegun = ({ streams }: LiveState, wanted: string): boolean =>
  [...streams.values()].some(
    ({ facts: { path }, marks }) => path === wanted && marks.some(({ kind }) => kind === 'attempt'),
  );

interface Scene {
  readonly site: Site;
  readonly daemon: DaemonProcess;
  readonly feed: Awaited<ReturnType<typeof startHeldFeed>>;
  readonly sick: TestFeed;
  readonly admin: number;
  readonly url: (path: string) => string;
}

/** A daemon with all paths of the tests, of each worker some. */
const openScene = async (workers: number, group: ReturnType<typeof createProcessGroup>): Promise<Scene> => {
  const [admin = 0] = await freePorts(1);
  const feed = await startHeldFeed();
  const sick = await startFeed((_, response) => response.writeHead(500).end());
  const site = makeSite(group.start, folder(), {
    ...{ workers, admin_port: admin, admin_interfaces: '127.0.0.1', dispatch: 'save' },
    ...{
      max_transfers_per_client: 12,
      retry_wait: '1 ms',
      attempts_per_candidate: 1,
      trusted_proxies: '127.0.0.1',
      show_clients: 'address',
    },
  });
  const importer = async (...options: string[]) => (await site.run('importers', 'add', ...options)).trim();
  const good = await importer('--repo', 'good');
  const ill = await importer('--repo', 'ill');
  const narrow = await importer('--repo', 'narrow', '--feed-max-downloads', '1');
  const entry = (path: string, importer_id: string, at: string, revision = 1) =>
    JSON.stringify({
      ...{ path, importer_id, unit_id: path, unit_type_id: 'iso', url: at + path, revision, data: {} },
      ...{ checksum: DIGEST, checksum_algorithm: 'sha256', size: CONTENT.length },
    });
  const of = (name: string) => [0, 1].map((worker) => ownedPath(worker, name));
  const list = join(folder(), 'catalog.jsonl');
  writeFileSync(
    list,
    [
      ...['shared', 'silent', 'live', 'killed', 'reload', 'stop']
        .flatMap(of)
        .map((path) => entry(path, good, feed.url)),
      ...of('failing').flatMap((path) => [entry(path, good, feed.url), entry(path, ill, sick.url, 2)]),
      ...['narrow', 'narrower'].flatMap(of).map((path) => entry(path, narrow, feed.url)),
    ].join('\n'),
  );
  await site.run('catalog', 'load', list);
  const daemon = await site.serve();
  return { site, daemon, feed, sick, admin, url: (path) => daemon.url + path };
};

describe.each([1, 2])('%s worker(s)', (workers) => {
  const group = createProcessGroup();
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(workers, group);
  });
  afterAll(async () => {
    await group.end();
    await Promise.all([scene.feed.close(), scene.sick.close()]);
  });

  const paths = (name: string) => [ownedPath(0, name), ownedPath(1, name)];

  it('share each transfer among clients on any connection, and pay for each byte once', async () => {
    const { feed, url, daemon } = scene;
    feed.hold();
    const asking = paths('shared').flatMap((path) => Array.from({ length: 4 }, () => ask(url(path))));
    const clients = await Promise.all(asking);
    await until(() => feed.holding() === 2);
    feed.release();
    for (const { sha256 } of await Promise.all(clients.map(readWhole))) expect(sha256).toBe(DIGEST);
    for (const path of paths('shared')) {
      await daemon.logged('saved', { path });
      const again = await askWhole(url(path));
      expect([again.sha256, again.headers['cache-status']]).toEqual([DIGEST, 'pulp-streamer;hit']);
      expect(feed.asked(path)).toBe(1);
    }
  });

  it('try a source last that failed for any of them', async () => {
    const { sick, url, site } = scene;
    for (const [index, path] of paths('failing').entries()) {
      expect((await askWhole(url(path))).sha256).toBe(DIGEST);
      expect(sick.requests).toHaveLength(1);
      if (index === 0) await until(async () => (await statusOf(site)).sources.unhealthy.length === 1);
    }
  });

  it('keep the limits of a source together, and serve its clients in turn', async () => {
    const { feed, url, admin } = scene;
    const from = (client: string) => ({ 'X-Forwarded-For': client });
    feed.hold();
    const [a = '', b = ''] = paths('narrow');
    const [c = '', d = ''] = paths('narrower');
    const first = await ask(url(a), from('10.0.0.1'));
    const others = [];
    for (const [path, client] of [
      [b, '10.0.0.1'],
      [c, '10.0.0.1'],
      [d, '10.0.0.2'],
    ] as const) {
      others.push(ask(url(path), from(client)).then(readWhole));
      // It waits for its place once it has begun an attempt.
      await firstValueFrom(watchDaemon(`http://127.0.0.1:${admin}`).pipe(filter((state) => hasBegun(state, path))));
    }
    const order = () => feed.requests.map(({ url }) => url).filter((path) => [a, b, c, d].includes(path ?? ''));
    for (let count = 1; count <= 4; count += 1) {
      await until(() => order().length === count && feed.holding() === 1);
      feed.release(count < 4);
    }
    for (const { sha256 } of await Promise.all([readWhole(first), ...others])) expect(sha256).toBe(DIGEST);
    // The only request of the second client came last.
    expect(order().indexOf(d)).toBeLessThan(3);
  });

  it('keep the limit of a client together', async () => {
    const { feed, url } = scene;
    feed.hold();
    const statuses: (number | undefined)[] = [];
    const asking = paths('silent')
      .flatMap((path) => Array.from({ length: 8 }, () => path))
      .map(async (path) => {
        const response = await ask(url(path));
        statuses.push(response.statusCode);
        // To its end: it counts until then.
        await readWhole(response);
      });
    await until(() => statuses.length === 4 && feed.holding() === 2);
    expect(statuses).toEqual([429, 429, 429, 429]);
    feed.release();
    await Promise.all(asking);
    expect(statuses.filter((status) => status === 200)).toHaveLength(12);
  });

  it('are measured as one', async () => {
    const { admin, url } = scene;
    for (const path of [...paths('unknown'), ...paths('unknown')]) expect((await askWhole(url(path))).status).toBe(404);
    const name = 'pulp_streamer_requests_total{outcome="failed",status="404"}';
    await until(async () => (await metricsOf(admin)).get(name) === 4);
    const after = await metricsOf(admin);
    expect(after.get('pulp_streamer_transfers_limit')).toBe(2000);
    expect(after.get('pulp_streamer_copies_bytes')).toBeGreaterThanOrEqual(2 * CONTENT.length);
  });

  it('are one live page: its streams, its tiles and its history', async () => {
    const { admin, url, feed } = scene;
    feed.hold();
    const clients = await Promise.all(paths('live').map((path) => ask(url(path))));
    const seen = new Set<string>();
    const events = await ask(`http://127.0.0.1:${admin}/events`);
    let received = '';
    for await (const part of events) {
      received += part;
      for (const path of paths('live')) if (received.includes(`"path":"${path}"`)) seen.add(path);
      if (seen.size === 2) break;
    }
    feed.release();
    await Promise.all(clients.map(readWhole));
    const history = async () => {
      const { body } = await askWhole(`http://127.0.0.1:${admin}/history`);
      const list: { id: string; path: string; client: string }[] = JSON.parse(body.toString());
      return list.filter(({ path }) => paths('live').includes(path));
    };
    await until(async () => (await history()).length === 2);
    for (const { id, path, client } of await history()) {
      const { body } = await askWhole(`http://127.0.0.1:${admin}/history?id=${id}`);
      expect(JSON.parse(body.toString())).toMatchObject({ path, client, outcome: 'complete', bytes: CONTENT.length });
      expect(client).toBe('127.0.0.1');
    }
  });

  if (workers === 1) return;

  const pidsOf = async (): Promise<number[]> =>
    (await statusOf(scene.site)).workers.map(({ pid }: { pid: number }) => pid);

  it('leave the outbox and the lock of the state folder to the daemon', async () => {
    const own = (pid: number) => openOf(pid).filter((file) => /outbox\.db|daemon\.lock/.test(file));
    expect(own(scene.daemon.pid)).not.toEqual([]);
    for (const pid of await pidsOf()) expect(own(pid)).toEqual([]);
  });

  it('are replaced when they die; what they sent breaks off, and the repeated request is right', async () => {
    const { daemon, feed, url, site, admin } = scene;
    const [dying = '', living = ''] = [ownedPath(0, 'killed'), ownedPath(1, 'killed')];
    await askWhole(url(ownedPath(1, 'reload')));
    const name = 'pulp_streamer_requests_total{outcome="complete",status="200"}';
    const before = (await metricsOf(admin)).get(name) ?? 0;
    feed.hold();
    // Some came by the worker that dies, some by the other one.
    const asking = [dying, living].flatMap((path) => Array.from({ length: 6 }, () => ask(url(path))));
    const clients = await Promise.all(asking);
    const [killed = 0] = await pidsOf();
    const ends = clients.map((response) =>
      readWhole(response).then(
        ({ sha256 }) => sha256,
        () => 'broken',
      ),
    );
    process.kill(killed, 'SIGKILL');
    await daemon.logged('worker ended, it is replaced', { worker: 1, ended: 'SIGKILL' });
    feed.release();
    const results = await Promise.all(ends);
    expect(results.slice(0, 6)).toEqual(Array.from({ length: 6 }, () => 'broken'));
    for (const one of results) expect([DIGEST, 'broken']).toContain(one);
    for (const path of [dying, living]) expect((await askWhole(url(path))).sha256).toBe(DIGEST);
    await daemon.logged('worker replaced', { worker: 1 });
    expect((await askWhole(url(dying))).sha256).toBe(DIGEST);
    expect((await statusOf(site)).workers).toMatchObject([
      { worker: 1, restarts: 1 },
      { worker: 2, restarts: 0 },
    ]);
    expect(await pidsOf()).not.toContain(killed);
    // What was counted stays counted.
    expect((await metricsOf(admin)).get(name)).toBeGreaterThan(before);
  });

  it('reload one after the other, without a refused request', async () => {
    const { daemon, site, url, admin } = scene;
    let going = true;
    const statuses = new Set<number | undefined>();
    const asking = [0, 1].map(async (worker) => {
      while (going) statuses.add((await askWhole(url(ownedPath(worker, 'reload')))).status);
    });
    const configured = readFileSync(site.config, 'utf8');
    for (const transfers of [10, 11, 12]) {
      writeFileSync(site.config, `${configured}max_transfers: ${transfers}\n`);
      await site.run('reload');
    }
    expect((await metricsOf(admin)).get('pulp_streamer_transfers_limit')).toBe(12);
    going = false;
    await Promise.all(asking);
    expect([...statuses]).toEqual([200]);
    await daemon.logged('configuration reloaded', {}, 3);
  });

  it('finish the transfers that one has for another, when the daemon stops', async () => {
    const { daemon, feed, url, site } = scene;
    feed.hold();
    const asking = [0, 1].flatMap((worker) => Array.from({ length: 4 }, () => ask(url(ownedPath(worker, 'stop')))));
    const clients = await Promise.all(asking);
    const stopped = daemon.stop();
    await daemon.logged('stopping; a second signal stops at once');
    feed.release();
    for (const { sha256 } of await Promise.all(clients.map(readWhole))) expect(sha256).toBe(DIGEST);
    expect((await stopped).status).toBe(0);
    const { prefixes } = JSON.parse(await site.run('report', '--json'));
    expect(prefixes).toContainEqual(
      expect.objectContaining({
        prefix: '/stop',
        requests: 8,
        served: 8 * CONTENT.length,
        fetched: 2 * CONTENT.length,
      }),
    );
    expect(readdirSync(site.stateDir).filter((name) => name.includes('.sock.'))).toEqual(['control.sock.lock']);
  });
});
