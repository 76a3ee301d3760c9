import { globSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isSidecar } from '../../src/saves/copies/sidecar.ts';
import { createCertificates } from '../support/certificates.ts';
import { filesBelow } from '../support/folder.ts';
import { openOf, ownEnvironment, processes, type Start } from '../support/processes.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { tinyDisk } from '../support/tiny-disk.ts';
import { until } from '../support/until.ts';
import { ask, type Manner, type Outcome } from './client.ts';
import type { Fault } from './fault.ts';
import { seaOfBytes } from './random.ts';
import { checksumOf, openScene, startFeeds } from './scene.ts';

const start = processes();
const folder = temporaryFolders();
const MEBIBYTE = 1 << 20;
const sea = seaOfBytes(16 * MEBIBYTE, 9);

interface Options {
  readonly count: number;
  readonly size: number;
  readonly settings?: Record<string, string | number>;
  readonly faults?: readonly Fault[];
  /** Replaces the usual start of processes. */
  readonly by?: Start;
}

/** `count` files of one good feed, and a daemon. */
const open = async ({ count, size, settings, faults = [], by = start }: Options) => {
  const { feeds } = await startFeeds({ note: () => {} }, await createCertificates());
  const files = Array.from({ length: count }, (_, index) => {
    const bytes = sea.subarray(index, index + size);
    const path = `/content/package-${index}.rpm`;
    feeds.plain.resources.set(path, { bytes, framing: 'length', faults });
    return { path, bytes, right: { kind: 'clean', sha256: checksumOf(bytes).value } };
  });
  const listings = files.map(({ path, bytes }) => ({
    path,
    urls: [feeds.plain.url + path],
    checksum: checksumOf(bytes),
    size,
  }));
  const scene = await openScene(by, folder(), { listings, settings });
  const askAll = (base: string, manner?: Manner) => Promise.all(files.map(({ path }) => ask(base + path, manner)));
  return { ...scene, feeds, files, askAll, rights: files.map(({ right }) => right) };
};

const kinds = (outcomes: readonly Outcome[]) => [...new Set(outcomes.map(({ kind }) => kind))].sort();

/** Every clean end is right. */
const neverWrong = (outcomes: readonly Outcome[], rights: readonly object[]) =>
  outcomes.forEach((outcome, index) => {
    if (outcome.kind === 'clean') expect(outcome).toMatchObject(rights[index] ?? {});
  });

/** Clients that stop reading after some bytes, and continue when released. */
const holding = (after = 1000) => {
  const go = Promise.withResolvers<void>();
  let begun = 0;
  const during = () => {
    begun += 1;
    return go.promise;
  };
  return { manner: { kind: 'waits', after, during } as const, go: go.resolve, begun: () => begun };
};

describe('the process', () => {
  it('after SIGTERM completes running transfers, accepts no new ones, and leaves nothing', async () => {
    const { daemon, feeds, saved, askAll, rights } = await open({ count: 12, size: 12 * MEBIBYTE });
    const { manner, go, begun } = holding();
    const running = askAll(daemon.url, manner);
    await until(() => begun() === 12);
    const stopped = daemon.stop();
    await daemon.logged('stopping; a second signal stops at once');
    expect(await ask(`${daemon.url}/late`)).toMatchObject({ kind: 'cut', bytes: 0 });
    go();
    expect(await running).toMatchObject(rights);
    expect(await stopped).toMatchObject({ status: 0, stderr: '' });
    expect(filesBelow(join(saved, '.partial'))).toEqual([]);
    expect(feeds.open()).toBe(0);
    await feeds.close();
  });

  it('after SIGTERM cuts transfers that take too long: a reset, never a clean end', async () => {
    const { daemon, feeds, saved, askAll } = await open({
      count: 6,
      size: 12 * MEBIBYTE,
      settings: { stop_timeout: 0.2 },
    });
    const { manner, go, begun } = holding();
    const running = askAll(daemon.url, manner);
    await until(() => begun() === 6);
    expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
    go();
    expect(kinds(await running)).toEqual(['cut']);
    expect(filesBelow(join(saved, '.partial'))).toEqual([]);
    await feeds.close();
  });

  it('killed under load ends no response cleanly too early, and starts again normally', async () => {
    const { site, daemon, feeds, saved, askAll, rights } = await open({ count: 12, size: 8 * MEBIBYTE });
    const { manner, go, begun } = holding();
    const running = askAll(daemon.url, manner);
    await until(() => begun() === 12);
    daemon.kill('SIGKILL');
    await daemon.ended;
    go();
    const outcomes = await running;
    neverWrong(outcomes, rights);
    expect(kinds(outcomes)).toContain('cut');

    const again = await site.serve();
    expect(filesBelow(join(saved, '.partial'))).toEqual([]);
    expect(await askAll(again.url)).toMatchObject(rights);
    expect(await again.stop()).toMatchObject({ status: 0, stderr: '' });
    await feeds.close();
  });

  it('after SIGHUP under load continues everything', async () => {
    const { daemon, feeds, askAll, rights } = await open({ count: 12, size: 8 * MEBIBYTE });
    const { manner, go, begun } = holding();
    const running = askAll(daemon.url, manner);
    await until(() => begun() === 12);
    for (let times = 0; times < 5; times += 1) daemon.kill('SIGHUP');
    go();
    expect(await running).toMatchObject(rights);
    expect(await daemon.stop()).toMatchObject({ status: 0 });
    await feeds.close();
  });

  it('out of file descriptors answers correctly or not at all, and recovers', async () => {
    const scarce: Start = (command, args, options) => start('prlimit', ['--nofile=80:80', command, ...args], options);
    const { daemon, feeds, askAll, rights } = await open({ count: 80, size: MEBIBYTE, by: scarce });
    const outcomes = await askAll(daemon.url);
    neverWrong(outcomes, rights);
    expect(kinds(outcomes)).not.toContain('hang');
    for (const outcome of outcomes) if (outcome.kind === 'refused') expect(outcome).toMatchObject({ noStore: true });
    await until(() => openOf(daemon.pid).length < 60);
    expect(await ask(`${daemon.url}/content/package-0.rpm`)).toMatchObject(rights[0] ?? {});
    const { status, stderr, stdout } = await daemon.stop();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    // There really were too few, though a retry may have repaired each failed attempt.
    expect(stdout.toString()).toContain('EMFILE');
    await feeds.close();
  });

  const disk = tinyDisk();
  disk?.free();
  (disk ? it : it.skip)('with a full disk for saved copies sends everything, and saves as much as fits', async () => {
    const tiny = tinyDisk();
    try {
      const save_dir = join(tiny?.folder ?? '', 'saved');
      const { daemon, feeds, files, askAll, rights } = await open({
        count: 8,
        size: 300_000,
        settings: { save_dir, save_limit: 0 },
      });
      expect(await askAll(daemon.url)).toMatchObject(rights);
      await daemon.logged('saving failed');
      await daemon.logged('saved');
      expect(await askAll(daemon.url)).toMatchObject(rights);
      expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
      const right = new Set(files.map(({ bytes }) => checksumOf(bytes).value));
      const names = filesBelow(save_dir).filter((name) => !isSidecar(name));
      const copies = names.map((name) => checksumOf(readFileSync(join(save_dir, name))).value);
      expect(copies.length).toBeGreaterThan(0);
      expect(copies.filter((value) => !right.has(value))).toEqual([]);
      await feeds.close();
    } finally {
      tiny?.free();
    }
  });
});

describe('the clock', () => {
  /** Debian’s faketime; skipped if it is not installed. */
  const [library] = globSync('/usr/lib/*/faketime/libfaketime.so.1');
  const AT = 200_000;
  const stall: Fault = { kind: 'stall', place: { where: 'middle', at: AT } };

  (library === undefined ? it.skip : it).each([
    ['forward', '+2h'],
    ['back', '-2h'],
  ] as const)('that jumps %s in mid-transfer neither fails nor stops one', async (_, jump) => {
    const home = folder();
    mkdirSync(home, { recursive: true });
    const file = join(home, 'time');
    const setTo = (offset: string) => {
      writeFileSync(file, `${offset}\n`);
      utimesSync(file, new Date(), new Date());
    };
    setTo('+0');
    // Only the wall clock: the monotonic one cannot be set.
    const env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
    const by: Start = (command, args, options = {}) =>
      start(command, args, { ...options, env: { ...(options.env ?? ownEnvironment()), ...env } });
    const { daemon, feeds, askAll, rights } = await open({
      count: 6,
      size: MEBIBYTE,
      faults: [stall],
      settings: { min_speed: 0 },
      by,
    });
    const { manner, go, begun } = holding(AT - 1);
    go();
    const running = askAll(daemon.url, manner);
    await until(() => begun() === 6);
    setTo(jump);
    // Each stalls once, and is resumed after the time-out, by any clock.
    expect(await running).toMatchObject(rights);
    const lines = await daemon.logged('request', {}, 6);
    expect(lines).toMatchObject(
      lines.map(() => ({ outcome: 'complete', attempts: [{ failure: { code: 'STALLED' } }, { from: AT }] })),
    );
    expect(await daemon.stop()).toMatchObject({ status: 0 });
    rmSync(file);
    await feeds.close();
  });
});
