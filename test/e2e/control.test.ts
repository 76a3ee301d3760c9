import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { ask, askWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { digestOfGenerated, generate, serveGenerated } from '../support/generated.ts';
import { sha256 } from '../support/importing.ts';
import { freePorts } from '../support/ports.ts';
import { processes } from '../support/processes.ts';
import { makeSite, type Site } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

/** More than sockets hold for a client that does not read. */
const LARGE = generate(1, 32 << 20);

const aSite = (settings: Readonly<Record<string, string | number>> = {}): Site => makeSite(start, folder(), settings);
const socketOf = (site: Site) => join(site.stateDir, 'control.sock');
const modeOf = (path: string) => (lstatSync(path).mode & 0o7777).toString(8);

/** Sets settings in the site's file, in place of those that it has. */
const configure = (site: Site, settings: Readonly<Record<string, string | number>>) => {
  const kept = readFileSync(site.config, 'utf8')
    .split('\n')
    .filter((line) => !Object.keys(settings).some((key) => line.startsWith(`${key}:`)));
  writeFileSync(site.config, [...kept, ...Object.entries(settings).map((pair) => pair.join(': '))].join('\n'));
};

const ended = async (site: Site, ...args: string[]) => {
  const { status, stdout, stderr } = await site.start(...args).ended;
  return { status, stdout: stdout.toString(), stderr };
};

/** Asks the control socket as curl --unix-socket does. */
const control = async (socketPath: string, method: string, path: string) => {
  const asked = request({ socketPath, method, path }).end();
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    asked.on('response', resolve).on('error', reject);
  });
  return [response.statusCode, await text(response)];
};

describe('the control socket', () => {
  it('is for its owner alone, answers, and goes with the daemon', async () => {
    const site = aSite();
    const daemon = await site.serve();
    expect([modeOf(site.stateDir), modeOf(socketOf(site))]).toEqual(['700', '600']);
    expect(await control(socketOf(site), 'GET', '/livez')).toEqual([200, 'alive\n']);
    expect(await control(socketOf(site), 'GET', '/reload')).toEqual([405, 'expected POST, found GET\n']);
    expect(await control(socketOf(site), 'POST', '/status')).toEqual([405, 'expected GET or HEAD, found POST\n']);
    await daemon.stop();
    expect(existsSync(socketOf(site))).toBe(false);
  });

  it('replaces that of a killed daemon, and no other file or socket', async () => {
    const site = aSite();
    const killed = await site.serve();
    killed.kill('SIGKILL');
    await killed.ended;
    expect(existsSync(socketOf(site))).toBe(true);
    const next = await site.serve();
    expect(await ended(site, 'status')).toMatchObject({ status: 0 });
    await next.stop();

    writeFileSync(socketOf(site), 'precious');
    expect(await ended(site, 'serve')).toMatchObject({
      status: 78,
      stderr: expect.stringContaining('control_socket: expected a socket at'),
    });
    expect(readFileSync(socketOf(site), 'utf8')).toBe('precious');

    const other = join(folder(), 'other.sock');
    const foreign = createServer().listen(other);
    await until(() => existsSync(other));
    configure(site, { control_socket: other });
    expect(await ended(site, 'serve')).toMatchObject({
      status: 78,
      stderr: expect.stringContaining(`control_socket: another program listens on ${other}`),
    });
    foreign.close();
  });

  it('is not taken from a daemon with another state folder', async () => {
    const shared = join(folder(), 'run', 'control.sock');
    const one = aSite({ control_socket: shared });
    await one.serve();
    expect(modeOf(join(shared, '..'))).toBe('700');
    expect(await ended(aSite({ control_socket: shared }), 'serve')).toMatchObject({
      status: 78,
      stderr: expect.stringContaining(`control_socket: another pulp-streamer answers at ${shared}`),
    });
    expect(await ended(one, 'status')).toMatchObject({ status: 0 });
  });

  it('may be for a group, outside the state folder', async () => {
    const run = join(folder(), 'run');
    mkdirSync(run);
    chmodSync(run, 0o750);
    const gid = process.getegid?.() ?? 0;
    const site = aSite({ control_socket: join(run, 'control.sock'), control_group: gid });
    await site.serve();
    const { mode, gid: found } = statSync(join(run, 'control.sock'));
    expect([mode & 0o777, found]).toEqual([0o660, gid]);
  });

  it.each([
    [{ control_group: 'root' }, 'control_group: control_socket lies in state_dir, which no group may enter'],
    [{ control_socket: '/run/x/y', control_group: 'no such' }, 'control_group: expected a group of /etc/group'],
    [{ control_socket: `/${'x'.repeat(103)}` }, 'control_socket: expected a path of at most 103 bytes'],
  ])('is refused with %j', async (settings, reason) =>
    expect(await ended(aSite(settings), 'check-config')).toMatchObject({
      status: 78,
      stderr: expect.stringContaining(reason),
    }),
  );
});

describe('status', () => {
  it('says what runs, where settings come from, and how it is', async () => {
    const site = aSite({ cooldown: 7, follow_hosts: 'a.example, https://b.example' });
    expect(await ended(site, 'status')).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining(`there is no control socket ${socketOf(site)}`),
    });
    const daemon = await site.serve();
    const { status, stdout } = await ended(site, 'status', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'ready',
      missing: [],
      degraded: [],
      pid: daemon.pid,
      listening: [expect.stringMatching(/^127\.0\.0\.1 port \d+$/)],
      saves: { dispatch: 'save', waiting: 0, oldest: 0 },
      sources: { unhealthy: [], alternates: [] },
      prefixes: [],
      restart_needed: [],
      settings: {
        cooldown: { value: 7, unit: 's', text: '7 s', origin: expect.stringMatching(/^\/.*streamer\.conf:\d+$/) },
        retry_wait: { value: 0.5, unit: 's', origin: 'default' },
        broker_url: { value: '********', origin: 'default' },
      },
    });
    const text = (await ended(site, 'status')).stdout;
    expect(text).toMatch(/^ready\n\nversion .*\nlistening .*\n/);
    expect(text).toMatch(/^setting {6}follow_hosts = a\.example, https:\/\/b\.example \(\/.*streamer\.conf:\d+\)$/m);
  });

  it('is degraded, with the reason, if something does not work', async () => {
    const site = aSite();
    await site.serve();
    writeFileSync(join(site.stateDir, '../conf.d/wrong.conf'), '[wrong]\nenabled: 1\n');
    await ended(site, 'reload');
    const { status, stdout } = await ended(site, 'status');
    expect([status, stdout]).toEqual([1, expect.stringMatching(/^degraded\n {2}alternate sources: .*wrong/)]);
  });

  it('of containers only depends on whether requests are served', async () => {
    const site = aSite();
    expect(await ended(site, 'status', '--ready')).toMatchObject({ status: 1, stdout: '' });
    await site.serve();
    writeFileSync(join(site.stateDir, '../conf.d/wrong.conf'), '[wrong]\nenabled: 1\n');
    await ended(site, 'reload');
    const asked = await ended(site, 'status', '--ready');
    expect(asked).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^ready\n/),
      stderr: '',
    });
    await ended(site, 'drain', '--quiet', '0');
    expect(await ended(site, 'status', '--ready')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('draining'),
    });
  });

  it('still asks the daemon if the configuration has become invalid', async () => {
    const site = aSite();
    await site.serve();
    configure(site, { cooldown: 'soon' });
    expect(await ended(site, 'status')).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('reload', () => {
  it('applies what can change, and names what needs a restart', async () => {
    const file = join(folder(), 'file');
    writeFileSync(file, 'content');
    const site = aSite({ cache_timeout: 60 });
    await site.run('catalog', 'add', '/file', `file://${file}`);
    const daemon = await site.serve();
    const age = async () => (await ask(`${daemon.url}/file`)).resume().headers['cache-control'];
    expect(await age()).toBe('public, s-maxage=60, max-age=60');
    configure(site, { cache_timeout: 90, log_level: 'DEBUG', port: 1 });
    expect(await ended(site, 'reload')).toEqual({
      status: 0,
      stdout: 'reloaded, changed: cache_timeout, log_level\nthese need a restart: port\n',
      stderr: '',
    });
    await daemon.logged('configuration reloaded');
    expect(await age()).toBe('public, s-maxage=90, max-age=90');
    const { settings, restart_needed } = JSON.parse((await ended(site, 'status', '--json')).stdout);
    expect([settings.port.value, settings.cache_timeout.value, restart_needed]).toEqual([0, 90, ['port']]);

    // SIGHUP does the same.
    configure(site, { cache_timeout: 120 });
    daemon.kill('SIGHUP');
    await daemon.logged('configuration reloaded', {}, 2);
    expect(await age()).toBe('public, s-maxage=120, max-age=120');
  });

  it('changes nothing if the configuration is not valid', async () => {
    const site = aSite({ cache_timeout: 60 });
    const daemon = await site.serve();
    configure(site, { cache_timeout: 90, cooldown: 'soon' });
    const { status, stderr } = await ended(site, 'reload');
    expect([status, stderr]).toEqual([
      78,
      expect.stringMatching(/^the configuration is not valid:\n {2}.*cooldown: expected a duration.*\n$/),
    ]);
    await daemon.logged('configuration not reloaded, the previous one stays in use', { error: /cooldown: expected/ });
    const { settings } = JSON.parse((await ended(site, 'status', '--json')).stdout);
    expect(settings.cache_timeout.value).toBe(60);
  });
});

describe('drain', () => {
  it('is not ready, answers what comes over connections that end, and waits for what runs', async () => {
    const feed = await startFeed(serveGenerated(new Map([['/large', LARGE]])));
    const [port = 0] = await freePorts(1);
    const site = aSite({ admin_port: port });
    await site.run('catalog', 'add', '/large', `${feed.url}/large`);
    const daemon = await site.serve();
    const readyz = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`);
      return [response.status, await response.text()];
    };
    expect(await readyz()).toEqual([200, 'ready\n']);
    const running = await ask(`${daemon.url}/large`);
    const drained = site.start('drain', '--quiet', '0').ended;
    await until(async () => (await readyz())[0] === 503);
    expect(await readyz()).toEqual([503, 'draining: requests are answered, and should go elsewhere\n']);
    expect(await ended(site, 'status')).toMatchObject({ status: 1, stdout: expect.stringMatching(/^draining\n/) });
    const late = await askWhole(`${daemon.url}/nowhere`);
    expect([late.status, late.headers.connection]).toEqual([404, 'close']);
    expect(await ended(site, 'drain', '--timeout', '1ms')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('requests still run or come after 0.001 s; the daemon stays drained'),
    });

    const chunks: Buffer[] = [];
    for await (const chunk of running) chunks.push(chunk);
    expect(sha256(Buffer.concat(chunks))).toBe(digestOfGenerated(LARGE));
    const { status, stdout } = await drained;
    expect([status, stdout.toString()]).toEqual([0, 'drained: no request runs\n']);
    expect(await ended(site, 'drain', '--off')).toMatchObject({ status: 0 });
    expect(await readyz()).toEqual([200, 'ready\n']);
  });
});

describe('log_file', () => {
  it('is appended to, and opened again with SIGUSR1 after it was renamed', async () => {
    const file = join(folder(), 'streamer.log');
    const site = aSite({ log_file: file });
    const running = site.start('serve');
    const has = (name: string, text: string) => existsSync(name) && readFileSync(name, 'utf8').includes(text);
    await until(() => has(file, '"msg":"ready"'));
    expect(modeOf(file)).toBe('600');
    renameSync(file, `${file}.1`);
    running.kill('SIGUSR1');
    await until(() => has(file, '"msg":"log file opened again"'));
    running.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ status: 0, stdout: Buffer.alloc(0) });
    expect([has(`${file}.1`, '"msg":"ready"'), has(file, '"msg":"stopped"')]).toEqual([true, true]);
  });

  it('can move with a reload; if it cannot be opened, nothing changes', async () => {
    const file = join(folder(), 'streamer.log');
    const site = aSite({ cooldown: 5 });
    await site.serve();
    configure(site, { log_file: '/nowhere/log', cooldown: 6 });
    expect(await ended(site, 'reload')).toMatchObject({ status: 78, stderr: expect.stringContaining('log_file: ') });
    configure(site, { log_file: file });
    expect(await ended(site, 'reload')).toMatchObject({ stdout: 'reloaded, changed: log_file, cooldown\n' });
    await until(() => readFileSync(file, 'utf8').includes('"msg":"configuration reloaded"'));
    expect(await ended(aSite({ log_file: '/nowhere/log' }), 'serve')).toMatchObject({
      status: 78,
      stderr: expect.stringContaining('log_file: '),
    });
  });
});
