import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { codeOf } from '../../src/lib/thrown.ts';
import { ask, askWhole, readWhole } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { temporaryFolders } from '../support/folder.ts';
import { ownedPath } from '../support/owned-path.ts';
import { freePorts } from '../support/ports.ts';
import { ownEnvironment, processes, type Start } from '../support/processes.ts';
import { type DaemonProcess, makeSite, type Site } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

/** Larger than content that is verified before its head. */
const CONTENT = someBytes(2 << 20);
const DIGEST = digestOf(CONTENT);
const PATHS = [ownedPath(0, 'file'), ownedPath(1, 'file')];

/** A daemon with two workers, whose feed sends the second half of its content on command. */
const openScene = async (starting: Start = start) => {
  const held: (() => void)[] = [];
  let isHolding = true;
  const feed = await startFeed((_, response) => {
    response.writeHead(200, { 'Content-Length': CONTENT.length });
    response.write(CONTENT.subarray(0, CONTENT.length / 2));
    const end = () => response.end(CONTENT.subarray(CONTENT.length / 2));
    if (isHolding) held.push(end);
    else end();
  });
  const [admin_port = 0] = await freePorts(1);
  const settings = { workers: 2, dispatch: 'save', admin_port, admin_interfaces: '127.0.0.1' };
  const site = makeSite(starting, folder(), settings);
  for (const path of PATHS) await site.run('catalog', 'add', path, feed.url + path, '--checksum', `sha256:${DIGEST}`);
  const daemon = await site.serve();
  return {
    ...{ site, daemon, feed, admin: `http://127.0.0.1:${admin_port}` },
    ready: async () => {
      const { status, body } = await askWhole(`http://127.0.0.1:${admin_port}/readyz`);
      return { status, text: body.toString() };
    },
    held: () => held.length,
    release: () => {
      isHolding = false;
      for (const end of held.splice(0)) end();
    },
  };
};

const kill = async (site: Site, which: readonly number[] = [0, 1]): Promise<void> => {
  const { workers } = JSON.parse(await site.run('status', '--json'));
  for (const at of which) process.kill(workers[at].pid, 'SIGKILL');
};

/** Starts processes whose workers end at once while there is a file. */
const dying = (): { readonly starting: Start; readonly flag: string } => {
  const flag = join(folder(), 'dying');
  // Only workers have a channel to another process.
  const dies = `process.channel && require('node:fs').existsSync(${JSON.stringify(flag)})`;
  return { flag, starting: startingWith(`if (${dies}) process.exit(7);\n`) };
};

/** Starts processes as older releases of Node do. */
const withoutHeldSockets = (): Start => startingWith("delete require('node:net').BoundSocket;\n");

/** Starts processes that run a script first. */
const startingWith = (script: string): Start => {
  const preloaded = join(folder(), 'first.cjs');
  writeFileSync(preloaded, script);
  return (command, args, { env = ownEnvironment(), ...options } = {}) =>
    start(command, args, { ...options, env: { ...env, NODE_OPTIONS: `--require ${preloaded}` } });
};

/** Each series of the metrics that only grows, or of one metric. Fails if one is there twice. */
const countersOf = async (admin: string, metric?: string): Promise<ReadonlyMap<string, number>> => {
  const lines = (await askWhole(`${admin}/metrics`)).body.toString().split('\n');
  const typeOf = new Map(
    lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.slice(7).split(' ') as [string, string]),
  );
  const all = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))] as const);
  const found = new Map(all);
  expect(all.length).toBe(found.size);
  const grows = (name: string) =>
    typeOf.get(name) === 'counter' || typeOf.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram';
  const nameOf = (series: string) => series.replace(/\{.*/, '');
  return new Map([...found].filter(([series]) => (metric ? nameOf(series) === metric : grows(nameOf(series)))));
};

/** The series that are lower than before, or gone. */
const fallen = (before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): readonly string[] =>
  [...before]
    .filter(([series, count]) => !((after.get(series) ?? -1) >= count))
    .map(([series]) => `${series} ${before.get(series)} ${after.get(series)}`);

const allRight = async (daemon: DaemonProcess): Promise<void> => {
  for (const path of PATHS) expect((await askWhole(daemon.url + path)).sha256).toBe(DIGEST);
};

describe('All workers killed at once', () => {
  it('are replaced; no client hangs, and neither a copy nor a save is left behind', async () => {
    const { site, daemon, ready, held, release } = await openScene();
    const clients = await Promise.all([...PATHS, ...PATHS].map((path) => ask(daemon.url + path)));
    await until(() => held() === 2);
    const ends = clients.map((one) =>
      readWhole(one).then(
        () => 'whole',
        () => 'broken',
      ),
    );
    await kill(site);
    expect(await Promise.all(ends)).toEqual(['broken', 'broken', 'broken', 'broken']);
    // Nobody listens for a moment; those who come then are answered by the next worker.
    release();
    await allRight(daemon);
    await daemon.logged('worker replaced', {}, 2);
    expect((await ready()).text).toBe('ready\n');
    await daemon.logged('saved', {}, 2);
    for (const path of PATHS)
      expect((await askWhole(daemon.url + path)).headers['cache-status']).toBe('pulp-streamer;hit');
    expect(JSON.parse(await site.run('saves', 'list', '--json'))).toEqual([]);
    expect((await daemon.stop()).status).toBe(0);
    // What the killed ones were making goes with the next start.
    const again = await site.serve();
    expect(readdirSync(join(site.stateDir, 'saved/.partial')).filter((name) => !name.endsWith('.lock'))).toEqual([]);
    await allRight(again);
    expect((await again.stop()).status).toBe(0);
  });
});

describe('A worker that hangs', () => {
  it('holds up neither status, metrics, history nor a reload, and its counts stay', async () => {
    const { site, daemon, admin, ready, release } = await openScene();
    release();
    await allRight(daemon);
    await daemon.logged('saved', {}, 2);
    const before = await countersOf(admin);
    const { workers } = JSON.parse(await site.run('status', '--json'));
    const [{ pid }] = workers;
    process.kill(pid, 'SIGSTOP');
    try {
      for (const _ of [1, 2]) expect(fallen(before, await countersOf(admin))).toEqual([]);
      expect(JSON.parse(await site.run('status', '--json')).workers).toEqual(workers);
      expect((await askWhole(`${admin}/history`)).status).toBe(200);
      writeFileSync(site.config, `${readFileSync(site.config, 'utf8')}max_transfers: 12\n`);
      expect(await site.run('reload')).toContain('max_transfers');
      await daemon.logged('worker does not answer', { worker: 1 });
      expect((await ready()).text).toBe('ready\nworker 1 does not answer\n');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await allRight(daemon);
    // It has got the settings, too, and nothing of it was counted twice.
    await until(
      async () =>
        (await countersOf(admin, 'pulp_streamer_transfers_limit')).get('pulp_streamer_transfers_limit') === 12,
    );
    const requests = 'pulp_streamer_requests_total{outcome="complete",status="200"}';
    expect((await countersOf(admin)).get(requests)).toBe(4);
  });
});

describe('Workers that are killed one after the other under load', () => {
  it('leave counts that never fall, and each once', async () => {
    const { site, daemon, admin, release } = await openScene();
    release();
    let going = true;
    let whole = 0;
    const asking = [...PATHS, ...PATHS].map(async (path) => {
      while (going)
        await askWhole(daemon.url + path).then(
          ({ sha256 }) => {
            expect(sha256).toBe(DIGEST);
            whole += 1;
          },
          // Its worker was killed.
          () => {},
        );
    });
    let counts = await countersOf(admin);
    const scrape = async () => {
      const next = await countersOf(admin);
      expect(fallen(counts, next)).toEqual([]);
      counts = next;
    };
    for (let round = 1; round <= 3; round += 1) {
      const before = whole;
      await until(() => whole >= before + 20);
      await scrape();
      await kill(site, [round % 2]);
      await Promise.all([scrape(), scrape()]).then(scrape);
      await daemon.logged('worker replaced', {}, round);
      await scrape();
    }
    going = false;
    await Promise.all(asking);
    await scrape();
    const requests = 'pulp_streamer_requests_total{outcome="complete",status="200"}';
    expect(counts.get(requests)).toBeGreaterThan(0);
    expect((await daemon.stop()).status).toBe(0);
  });
});

describe('A worker that cannot start again', () => {
  it('is tried again, later each time; the other one answers for it, and readyz says why', async () => {
    const { site, daemon, ready, release } = await openScene();
    release();
    // Its socket cannot be made.
    const socket = join(site.stateDir, 'control.sock.1');
    await kill(site, [0]);
    rmSync(socket, { force: true });
    mkdirSync(join(socket, 'x'), { recursive: true });
    const lines = await daemon.logged('worker ended, it is replaced', { worker: 1 }, 5);
    expect(lines.map(({ failures = 1 }) => failures)).toEqual([1, 2, 3, 4, 5]);
    expect(lines.slice(1).every(({ ended }) => String(ended).includes('control.sock.1'))).toBe(true);
    expect(Number(lines[4]?.retryInMs)).toBeGreaterThan(Number(lines[1]?.retryInMs));
    await allRight(daemon);
    const degraded = await ready();
    expect(degraded.status).toBe(200);
    expect(degraded.text).toMatch(/^ready\nworker 1 is being replaced: .*control\.sock\.1.*, \d+ times in a row\n$/);
    rmSync(socket, { recursive: true });
    await daemon.logged('worker replaced', { worker: 1 });
    expect((await ready()).text).toBe('ready\n');
    await allRight(daemon);
  });

  it('leaves the daemon unready if no other one answers, with the status that it ended with', async () => {
    const { starting, flag } = dying();
    const { site, daemon, ready, release } = await openScene(starting);
    release();
    writeFileSync(flag, '');
    await kill(site);
    for (const worker of [1, 2])
      await daemon.logged(
        'worker ended, it is replaced',
        { worker, ended: 'it ended with status 7 before it listened' },
        2,
      );
    const lost = await ready();
    expect(lost.status).toBe(503);
    expect(lost.text).toContain('no worker answers: all have ended, and are being replaced\n');
    expect(lost.text).toMatch(
      /worker 2 is being replaced: it ended with status 7 before it listened, \d+ times in a row\n/,
    );
    expect((await site.start('status').ended).stdout.toString()).toContain('no worker answers');
    rmSync(flag);
    // It waits until somebody accepts it.
    await allRight(daemon);
    await daemon.logged('worker replaced', {}, 2);
    expect((await ready()).text).toBe('ready\n');
  });

  it('keeps the daemon from starting, with the reason', async () => {
    const { starting, flag } = dying();
    writeFileSync(flag, '');
    const { status, stderr, stdout } = await makeSite(starting, folder(), { workers: 2 }).start('serve').ended;
    expect({ status, said: stderr + stdout.toString() }).toMatchObject({
      status: 1,
      said: expect.stringContaining('it ended with status 7 before it listened'),
    });
  });
});

describe('A Node that cannot hold sockets for others', () => {
  it('is named by every command that looks at the settings, with those that can', async () => {
    const site = makeSite(withoutHeldSockets(), folder(), { workers: 2 });
    const problem = `workers: expected 1, since Node ${process.version} runs; several need 24.19 or later of 24, or 26.4 or later`;
    for (const command of ['serve', 'check-config', 'doctor']) {
      const { status, stderr, stdout } = await site.start(command).ended;
      expect({ command, status, said: stderr + stdout.toString() }).toMatchObject({
        ...{ command, status: 78, said: expect.stringContaining(problem) },
      });
    }
    expect((await site.start('check-config', '--workers', '1').ended).status).toBe(0);
  });
});

describe('A stop', () => {
  it('refuses new connections while the requests under way are completed', async () => {
    const { daemon, held, release } = await openScene();
    const clients = await Promise.all(PATHS.map((path) => ask(daemon.url + path)));
    await until(() => held() === 2);
    const stopped = daemon.stop();
    await until(async () => (await connects(daemon.url)) === 'ECONNREFUSED');
    release();
    for (const client of clients) expect((await readWhole(client)).sha256).toBe(DIGEST);
    expect((await stopped).status).toBe(0);
  });
});

describe('A log file that cannot be opened again', () => {
  it('is reported in the former one, and ends no worker', async () => {
    const logs = join(folder(), 'logs');
    mkdirSync(logs);
    const file = join(logs, 'streamer.log');
    const site = makeSite(start, folder(), { workers: 2, log_file: file });
    const running = site.start('serve');
    const former = `${logs}.1`;
    const count = (name: string, text: string) =>
      existsSync(name) ? readFileSync(name, 'utf8').split(`"msg":"${text}`).length - 1 : 0;
    await until(() => count(file, 'ready"') === 1);
    const workers = async () => JSON.parse(await site.run('status', '--json')).workers.map(({ pid }: Started) => pid);
    const before = await workers();
    renameSync(logs, former);
    running.kill('SIGUSR1');
    await until(() => count(join(former, 'streamer.log'), 'log file not opened again') === 3);
    expect(await workers()).toEqual(before);
    running.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ status: 0 });
  });
});

interface Started {
  readonly pid: number;
}

/** How the attempt to connect ends: the system's code of its failure, or none. */
const connects = (url: string): Promise<string | undefined> => {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname, () => resolve(undefined)).on('error', (error) =>
    resolve(codeOf(error)),
  );
  return promise.finally(() => socket.destroy());
};
