import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDaemon } from '../../src/app/daemon.ts';
import { settingsOf } from '../../src/app/from-settings.ts';
import { createLogger } from '../../src/observe/log.ts';
import { type Manner, startFeeds } from './feeds.ts';

/** A daemon with lively feeds and clients, for pictures of its live page. */
export interface Scene {
  readonly url: string;
  stop(): Promise<void>;
}

const MIB = 1024 * 1024;
const PROXY = '127.0.0.1';

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
};

/** Bytes that look random, the same each time. */
const contentOf = (path: string, size: number): Buffer => {
  const body = Buffer.alloc(size, createHash('sha512').update(path).digest());
  body.write(path);
  return body;
};

export const playScene = async (): Promise<Scene> => {
  const stateDir = mkdtempSync(join(tmpdir(), 'pulp-streamer-scene-'));
  const feeds = await startFeeds();
  const adminPort = await freePort();
  const settings = settingsOf({
    ...{ stateDir, port: 0, interfaces: '127.0.0.1', adminPort, contentSourcesDir: stateDir },
    ...{ trustedProxies: '127.0.0.1', cooldown: 40, retryWait: 0.3, attemptsPerCandidate: 1 },
  });
  const daemon = await startDaemon(settings, createLogger('CRITICAL'));
  const port = daemon.addresses[0]?.port;
  const { importers, entries, repositories } = daemon.streamer.catalog;
  const running = new Set<ClientRequest>();
  const timers = new Set<NodeJS.Timeout>();

  /** Catalogues a file at these hosts, in this order. */
  const offer = (path: string, size: number, hosts: Readonly<Record<string, Manner>>): void => {
    const body = contentOf(path, size);
    const checksum = { algorithm: 'sha256', value: createHash('sha256').update(body).digest('hex') } as const;
    const staging = entries.stage();
    for (const [host, manner] of Object.entries(hosts).toReversed()) {
      const url = `http://${host}${path}`;
      feeds.put(url, body, manner);
      const config = { proxy_host: `http://${PROXY}`, proxy_port: feeds.port };
      const importerId = importers.add({ config }).id;
      staging.write([
        { path, importerId, unitId: path, unitTypeId: 'rpm', url, size, checksum, revision: 1, data: {} },
      ]);
    }
    staging.publishAsIs();
  };

  /** A client that reads at a speed; 0: as fast as it can. */
  const ask = (path: string, client: string, speed = 0): void => {
    const request = get({ port, path, host: '127.0.0.1', headers: { 'X-Forwarded-For': client } }, (response) => {
      if (speed > 0) read(response, speed);
      else response.resume();
      response.on('error', () => {});
    });
    request.on('error', () => {});
    request.on('close', () => running.delete(request));
    running.add(request);
  };

  const read = (response: IncomingMessage, speed: number) => {
    let debt = 0;
    response.on('data', (bytes: Buffer) => {
      debt += bytes.length;
      if (debt < speed / 2) return;
      response.pause();
      const timer = setTimeout(() => response.resume(), (debt / speed) * 1000);
      timers.add(timer);
      debt = 0;
    });
  };

  const later = (seconds: number, play: () => void) => timers.add(setTimeout(play, seconds * 1000));
  const always = (milliseconds: number, play: (turn: number) => void) => {
    let turn = 0;
    timers.add(setInterval(() => play(turn++), milliseconds));
  };

  const now = Math.floor(Date.now() / 1000);
  for (const [prefix, follows, ago] of [
    ['/el9', true, 40],
    ['/debian', true, 130],
    ['/isos', false, 6 * 86_400],
  ] as const)
    repositories.save({
      ...{ prefix, importerId: '0'.repeat(24), format: 'yum', base: 'http://cdn.example.com/', strict: false, follows },
      ...{ selection: {}, packages: 21_340, metadata: 1, succeeded: now - ago, attempted: now - ago },
    } as never);

  const iso = '/isos/9.5/Server-9.5-x86_64-dvd.iso';
  offer(iso, 96 * MIB, {
    'mirror-a.example.com': { speed: 2.4 * MIB, diesAt: 27 * MIB },
    'mirror-b.example.com': { speed: 2.9 * MIB, wait: 350 },
    'archive.example.com': {},
  });
  const kernel = '/el9/Packages/kernel-core-5.14.0-503.el9.x86_64.rpm';
  offer(kernel, 24 * MIB, { 'cdn.example.com': {} });
  const fox = '/debian/pool/f/foo_1.2-3_amd64.deb';
  offer(fox, 420_000, { 'mirror-c.example.com': { wrong: true, wait: 20 }, 'mirror-a.example.com': { wait: 90 } });
  const packages = '/debian/dists/stable/main/binary-amd64/Packages.xz';
  offer(packages, 940_000, { 'deb.example.com': { wait: 25, speed: 4 * MIB } });
  const big = '/el9/Packages/linux-firmware-20250812.el9.noarch.rpm';
  offer(big, 40 * MIB, { 'cdn.example.com': { speed: 1.1 * MIB } });
  const slow = '/el9/Packages/glibc-all-langpacks-2.34.el9.x86_64.rpm';
  offer(slow, 5 * MIB, { 'overloaded.example.com': { wait: 9000 } });
  for (let at = 0; at < 60; at += 1) {
    offer(`/el9/Packages/small-${at}.el9.x86_64.rpm`, 20_000 + at * 9_000, { 'cdn.example.com': { wait: 12 } });
    offer(`/debian/pool/s/small-${at}_amd64.deb`, 9_000 + at * 7_000, { 'deb.example.com': { wait: 30 } });
  }

  always(90, (turn) => ask(`/el9/Packages/small-${turn % 60}.el9.x86_64.rpm`, `10.2.0.${20 + (turn % 30)}`));
  always(230, (turn) => ask(`/debian/pool/s/small-${turn % 60}_amd64.deb`, `10.4.1.${20 + (turn % 30)}`));
  later(1, () => ask(big, '10.2.0.51'));
  later(3, () => ask(iso, '10.2.0.14'));
  later(4, () => ask(kernel, '10.7.3.9', 420_000));
  later(14, () => ask(fox, '10.2.0.31'));
  later(24, () => ask(packages, '10.2.0.77'));
  later(24.5, () => ask(slow, '10.2.0.18'));

  return {
    url: `http://localhost:${adminPort}/`,
    stop: async () => {
      for (const timer of timers) clearTimeout(timer);
      for (const request of running) request.destroy();
      await daemon.stop();
      feeds.close();
      rmSync(stateDir, { recursive: true });
    },
  };
};
