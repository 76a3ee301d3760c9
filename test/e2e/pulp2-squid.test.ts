import { describe, expect, it as jestIt } from '@jest/globals';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { startApache } from '../support/apache.ts';
import { ask, askWhole, readWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { openOrigins } from '../support/origin.ts';
import { processes } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { askedByProxies, signed } from '../support/signed-urls.ts';
import { startSquid } from '../support/squid.ts';
import {
  linesForPulp,
  linesOf,
  pulpsSquid,
  type Row,
  rowsUnder,
  shippedLines,
  standsFor,
} from '../support/squid-lines.ts';
import { until } from '../support/until.ts';

const start = processes();
const folder = temporaryFolders();
const it = itNeeding(['squid']);
const itWithApache = itNeeding(['apache2', 'squid']);
const openOrigin = openOrigins();

const REPLACE = 'docs/how-to/replace-pulp2.md';
const PULPS = () => rowsUnder(REPLACE, "Change Squid's configuration");
const SQUIDS = () => rowsUnder('docs/how-to/squid.md', 'Settings');

/** The rows that a line of the shipped file has. */
const rowsOf = (rows: readonly Row[], line: string) =>
  rows.filter(({ about }) => about.some((code) => standsFor(code, line)));

describe('examples/squid/squid.conf', () => {
  for (const [page, rows] of [
    [REPLACE, PULPS],
    ['docs/how-to/squid.md', SQUIDS],
  ] as const)
    jestIt(`is explained in ${page}, line by line, and nothing else is`, () => {
      const lines = shippedLines();
      for (const line of lines) expect({ line, rows: rowsOf(rows(), line).length }).toEqual({ line, rows: 1 });
      for (const code of rows().flatMap(({ about }) => about))
        expect({ code, there: lines.some((line) => standsFor(code, line)) }).toEqual({ code, there: true });
    });

  jestIt('is what Pulp’s own squid.conf is completed with, in its order', () => {
    const added = shippedLines().filter((line) => rowsOf(PULPS(), line).some(({ cells }) => cells[0] === 'add'));
    expect(linesOf(linesForPulp())).toEqual(added);
    expect(new Set(PULPS().map(({ cells }) => cells[0]))).toEqual(new Set(['add', "keep Pulp's"]));
    // What is kept instead is there.
    const names = linesOf(pulpsSquid('')).map((line) => line.split(' ')[0]);
    for (const line of shippedLines().filter((one) => !added.includes(one)))
      expect(names).toContain(line.split(' ')[0]);
  });
});

const open = async (lines: string, settings: SettingOptions = {}) => {
  const origin = await openOrigin(settings);
  const squid = await startSquid(start, folder(), origin.url, () => pulpsSquid(lines));
  const get = (path: string, headers = {}) => askWhole(squid.url + path, headers);
  return { origin, squid, get };
};
type Site = Awaited<ReturnType<typeof open>>;

const HIT = { 'x-cache': expect.stringMatching(/^HIT /) };

/** The lines without those that begin so. */
const without = (beginning: string): string => {
  const left = linesForPulp()
    .split('\n')
    .filter((line) => !line.startsWith(beginning));
  expect(left.join('\n')).not.toBe(linesForPulp());
  return left.join('\n');
};

/** Transfers that many clients of one file cost. */
const transfersOfMany = async ({ origin, squid }: Site) => {
  const { sha256 } = origin.offer('/a.rpm');
  origin.feed.hold();
  const heads = await Promise.all(Array.from({ length: 10 }, () => ask(`${squid.url}/a.rpm`)));
  const wholes = heads.map(readWhole);
  origin.feed.release();
  for (const whole of wholes) expect(await whole).toMatchObject({ status: 200, sha256 });
  return origin.served('/a.rpm');
};

/** What becomes of a transfer whose client leaves. */
const leftAlone = async ({ origin, squid }: Site) => {
  origin.offer('/a.iso');
  origin.feed.hold();
  const leaver = await ask(`${squid.url}/a.iso`);
  leaver.destroy();
  await until(() => squid.accessLog().includes('/a.iso'));
  origin.feed.release();
  const [line] = await origin.logged('/a.iso');
  return line?.outcome;
};

/** Whether the body is the new one, after a client that has it already asked once the old one was over. */
const afterATag = async ({ origin, get }: Site) => {
  origin.offer('/a.rpm', 1000);
  await get('/a.rpm');
  await until(async () => (await get('/a.rpm', { 'Cache-Control': 'only-if-cached' })).status === 504);
  const { sha256 } = origin.offer('/a.rpm', 1000);
  await get('/a.rpm', { 'If-None-Match': `"${sha256}"` });
  return (await get('/a.rpm')).sha256 === sha256;
};

/** Whether a kept file’s answer has the bytes that it names, where a condition of a range fails. */
const afterIfRange = async ({ origin, get }: Site) => {
  const { body } = origin.offer('/a.rpm', 1000);
  await get('/a.rpm');
  const answer = await get('/a.rpm', { Range: 'bytes=400-499', 'If-Range': '"another"' });
  return answer.status === 200 && answer.body.equals(body);
};

/** Whether two ranges of a kept file that descend are answered with the bytes that the answer names. */
const afterRanges = async ({ origin, get }: Site) => {
  const { body } = origin.offer('/a.rpm', 1000);
  await get('/a.rpm');
  const answer = await get('/a.rpm', { Range: 'bytes=400-499,200-299' });
  return answer.status === 206 || (answer.status === 200 && answer.body.equals(body));
};

describe('Pulp’s own squid.conf, completed', () => {
  it('asks once for many clients, and without `collapsed_forwarding` for each', async () => {
    expect(await transfersOfMany(await open(linesForPulp()))).toBe(1);
    expect(await transfersOfMany(await open(without('collapsed_forwarding')))).toBe(10);
  });

  it('brings to its end what a client has left, and without `quick_abort_min` does not', async () => {
    expect(await leftAlone(await open(linesForPulp()))).toBe('complete');
    expect(await leftAlone(await open(without('quick_abort_min')))).toBe('left');
  });

  it('is not poisoned by a client that has the newest; without the lines it is', async () => {
    const settings = { cacheTimeout: 1 };
    expect(await afterATag(await open(linesForPulp(), settings))).toBe(true);
    expect(await afterATag(await open('', settings))).toBe(false);
  });

  it('sends the bytes that it names; without the lines it does not', async () => {
    for (const judge of [afterIfRange, afterRanges]) {
      expect(await judge(await open(linesForPulp()))).toBe(true);
      expect(await judge(await open(''))).toBe(false);
    }
    // The first line that matches counts, and Pulp's own allows all.
    expect(await afterIfRange(await open(`cache allow all\n${linesForPulp()}`))).toBe(false);
  });

  it('fetches the whole for a part, and has the next one from there', async () => {
    const { origin, get } = await open(linesForPulp());
    const { body } = origin.offer('/a.iso', 100_000);
    const part = await get('/a.iso', { Range: 'bytes=1000-1999' });
    expect(part).toMatchObject({ status: 206, body: body.subarray(1000, 2000) });
    expect(await origin.logged('/a.iso')).toMatchObject([{ status: 200, outcome: 'complete' }]);
    // Squid keeps it a moment after the streamer has sent it.
    const isHit = async () => /^HIT /.test(String((await get('/a.iso', { Range: 'bytes=-10' })).headers['x-cache']));
    await until(isHit);
    expect(await get('/a.iso', { Range: 'bytes=-10' })).toMatchObject({ headers: HIT, body: body.subarray(-10) });
    expect(origin.feed.asked('/a.iso')).toEqual([undefined]);
  });

  it('answers nothing but reads, and keeps no error', async () => {
    const { origin, squid, get } = await open(linesForPulp());
    const response = await fetch(`${squid.url}/a.rpm`, { method: 'POST', body: 'x' });
    expect(response.status).toBe(403);
    expect(await get('/a.rpm')).toMatchObject({ status: 404 });
    const { sha256 } = origin.offer('/a.rpm', 1000);
    expect(await get('/a.rpm')).toMatchObject({ status: 200, sha256 });
    expect(await get('/a.rpm')).toMatchObject({ status: 200, headers: HIT, sha256 });
    expect(await origin.logged('/a.rpm', 2)).toMatchObject([{ status: 404 }, { status: 200 }]);
  });

  itWithApache('keeps each file once behind Apache, whatever its signature', async () => {
    const { adminPort, settings } = await askedByProxies(folder());
    const { origin, squid } = await open(linesForPulp(), settings);
    const apache = await startApache(start, folder(), { squid: squid.url, adminPort });
    const path = '/var/lib/pulp/content/units/rpm/76/78177c/bear-4.1+1~rc1^2.noarch.rpm';
    const { sha256 } = origin.offer(path);
    for (const target of [`/streamer${path}`, `/streamer/${path}`]) {
      const whole = await readWhole(await ask(apache.url + signed(encodeURI(target))));
      expect(whole).toMatchObject({ status: 200, sha256 });
    }
    expect(origin.served(encodeURI(path))).toBe(1);
  });
});
