import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { expecting } from '../../bench/bench.ts';
import { digestOf } from '../../bench/content.ts';
import { type Ratio, type Result, ratiosOf } from '../../bench/contest.ts';
import { download, downloadPipelined, requestAndWait } from '../../bench/load.ts';
import { measure } from '../../bench/measure.ts';
import { type Origin, startOrigin } from '../../bench/origin.ts';
import committed from '../../bench/ratios.json' with { type: 'json' };
import { startRelays } from '../../bench/relays.ts';
import { MORE, SCENARIOS } from '../../bench/scenarios/index.ts';
import type { Sizes } from '../../bench/sizes.ts';
import { packageRoot } from '../../src/app/version.ts';

jest.setTimeout(600_000); // many real processes, on machines that may be busy

const MIB = 1024 ** 2;
const MAIN = join(packageRoot, 'src/cli/launcher.cjs');

/** Every scenario as small as it can be: what is tested is that bodies and counts are right, never a time. */
const TINY: Sizes = {
  rounds: 1,
  warmUp: 10,
  bytes: 3 * MIB,
  requests: 16,
  latencies: 5,
  pipelined: 12,
  slow: 3,
  slowMany: 4,
  slowWorkers: 1,
  newcomers: 2,
  clients: 5,
  clientBytes: MIB,
  entries: 2_000,
  starts: 1,
  repository: 5,
  fleet: 3,
  fleetPackages: 4,
  daemons: 1,
  transfers: 20,
  sick: 5,
  packages: 50,
  values: 1_000,
};

const isInstalled = (program: string): boolean => spawnSync(program, ['-v']).error === undefined;

describe('the scenarios of the bench', () => {
  let results: readonly Result[];
  let ratios: Readonly<Record<string, Ratio>>;
  beforeAll(async () => {
    const scenarios = {
      ...SCENARIOS,
      import: MORE.import,
      beside: MORE.beside,
      observed: MORE.observed,
      fleet: MORE.fleet,
      doors: MORE.doors,
      streams: MORE.streams,
      workers: MORE.workers,
    };
    // Rejects if a body, a status or the number of requests at the origin is wrong.
    results = Object.values(await measure({ scenarios, sizes: TINY, cores: undefined, main: MAIN })).flat();
    ratios = ratiosOf(results);
  });

  it('measure every contender in every round', () => {
    const costs = results.flatMap(({ measured }) => measured.flatMap((one) => one.costs));
    expect(results.flatMap(({ measured }) => measured.filter((one) => one.costs.length !== 1))).toEqual([]);
    // Not greater than 0: memory may shrink.
    expect(costs.filter((cost) => !Number.isFinite(cost))).toEqual([]);
  });

  it.each(['feed', 'small', 'pipelined', 'p99', 'slow', 'slow-many', 'newcomer'])(
    'compare %s with every proxy on Node',
    (row) =>
      expect(Object.keys(ratios)).toEqual(expect.arrayContaining([`${row}/node`, `${row}/undici`, `${row}/fastify`])),
  );

  it.each(['flow', 'pulled', 'flow-slow', 'flow-memory'])('compare %s with every other way to stream', (row) =>
    expect(Object.keys(ratios)).toEqual(
      expect.arrayContaining(['rxjs', 'node', 'web', 'ix'].map((way) => `${row}/${way}`)),
    ),
  );

  it('give every ratio that is committed', () => {
    const missing = ['nginx', 'haproxy', 'squid'].filter((program) => !isInstalled(program));
    const expected = Object.keys(committed).filter((name) => !missing.some((program) => name.endsWith(`/${program}`)));
    expect(expected.filter((name) => !(name in ratios))).toEqual([]);
  });
});

describe('the load', () => {
  let folder: string;
  let origin: Origin;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pulp-streamer-test-'));
    origin = await startOrigin(folder);
  });
  afterAll(async () => {
    await origin.stop();
    rmSync(folder, { recursive: true });
  });
  const asked = (name: string) => ({ url: `${origin.http}/${name}`, name });

  it.each([0, 1, 4095, 4096, 4097, 600_000])('accepts %d right bytes', async (size) => {
    await expect(download(asked(`${size}-right`))).resolves.toBeGreaterThan(0);
  });

  it('rejects the content of another file of the same length', async () => {
    const { url } = asked('600000-other');
    await expect(download({ url, name: '600000-wanted' })).rejects.toThrow(
      `SHA-256 ${digestOf('600000-other')}, expected ${digestOf('600000-wanted')}`,
    );
  });

  it('rejects another length, and another status', async () => {
    await expect(download({ url: `${origin.http}/4097-a`, name: '4096-a' })).rejects.toThrow('SHA-256');
    const missing = { url: `${origin.http}/repodata/none`, name: '0-none' };
    await expect(download(missing)).rejects.toThrow('status 404, expected 200');
    await expect(requestAndWait([missing])).rejects.toThrow('status 404, expected 200');
  });

  it('accepts right answers to pipelined requests, on as many connections as they need', async () => {
    const files = Array.from({ length: 1_003 }, (_, number) => asked(`100-pipelined-${number}`));
    await expecting({ origin }, files.length, () => downloadPipelined(files));
  });

  it('rejects pipelined answers in another order, without a length, and fewer of them', async () => {
    const [one, other] = [asked('100-one'), asked('100-other')];
    const crossed = [
      { url: one.url, name: other.name },
      { url: other.url, name: one.name },
    ];
    await expect(downloadPipelined(crossed)).rejects.toThrow(`SHA-256 ${digestOf('100-one')}`);
    const missing = { url: `${origin.http}/repodata/none`, name: '0-none' };
    await expect(downloadPipelined([missing])).rejects.toThrow('expected status 200 and a length, got HTTP/1.1 404');
    const closing = createServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    }).listen(0, '127.0.0.1');
    await once(closing, 'listening');
    const { port } = closing.address() as AddressInfo;
    const empty = { url: `http://127.0.0.1:${port}/0-empty`, name: '0-empty' };
    await expect(downloadPipelined([empty, empty])).rejects.toThrow('after 1 of 2 pipelined requests');
    closing.close();
  });

  it('rejects too many requests at the origin, too few, and a path that was requested before', async () => {
    await expect(expecting({ origin }, 0, () => download(asked('1-a')))).rejects.toThrow(
      '1 requests at the origin, expected 0',
    );
    await expect(expecting({ origin }, 1, async () => {})).rejects.toThrow('0 requests at the origin, expected 1');
    await expect(expecting({ origin }, 1, () => download(asked('1-a')))).rejects.toThrow('asked for /1-a twice');
    await expect(expecting({ origin }, 1, () => download(asked('1-b')))).resolves.toBeGreaterThan(0);
  });

  it('has no path twice, and none that the catalog lacks', async () => {
    const supplies = [{ route: 'verified', size: 100, count: 2 } as const];
    const options = { folder, origin, core: undefined, main: MAIN, supplies, disk: new Map() };
    const { streamer, stop } = await startRelays(options);
    try {
      const files = [streamer.fresh('verified', 100), streamer.fresh('verified', 100)];
      expect(new Set(files.map(({ url }) => url)).size).toBe(2);
      await expecting({ origin }, 2, () => Promise.all(files.map((file) => download(file))));
      expect(() => streamer.fresh('verified', 100)).toThrow('no fresh path left of /verified/ with 100 bytes');
    } finally {
      await stop();
    }
  });
});
