import { describe, expect } from '@jest/globals';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { ask, askWhole, readWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { startNginx } from '../support/nginx.ts';
import { openOrigins } from '../support/origin.ts';
import { processes } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { askedByProxies, badlySigned, signed } from '../support/signed-urls.ts';
import { until } from '../support/until.ts';

const start = processes();
const folder = temporaryFolders();
const it = itNeeding(['nginx']);
const openOrigin = openOrigins();

const open = async (site: 'whole' | 'slices', settings: SettingOptions = {}) => {
  const origin = await openOrigin(settings);
  return { origin, nginx: await startNginx(start, folder(), site, { 8751: new URL(origin.url).port }) };
};

const MISS = { 'x-cache': 'MISS' };
const HIT = { 'x-cache': 'HIT' };

describe('nginx with whole files, as shipped in examples/nginx', () => {
  it('requests a file once and keeps it, for any host or query of the client', async () => {
    const { origin, nginx } = await open('whole');
    const { sha256 } = origin.offer('/a+b.rpm');
    expect(await askWhole(`${nginx.url}/a+b.rpm`)).toMatchObject({ status: 200, headers: MISS, sha256 });
    expect(await askWhole(`${nginx.url}/a+b.rpm`)).toMatchObject({ status: 200, headers: HIT, sha256 });
    const other = await askWhole(`${nginx.url}/a+b.rpm?x`, { Host: 'mirror', 'Accept-Encoding': 'gzip' });
    expect(other).toMatchObject({ status: 200, headers: HIT, sha256 });
    expect(other.headers).not.toHaveProperty('content-encoding');
    expect(origin.served('/a+b.rpm')).toBe(1);
  });

  it('streams', async () => {
    const { origin, nginx } = await open('whole');
    const { sha256 } = origin.offer('/a.rpm');
    origin.feed.hold();
    const response = await ask(`${nginx.url}/a.rpm`);
    origin.feed.release();
    expect(await readWhole(response)).toMatchObject({ status: 200, headers: MISS, sha256 });
  });

  it('causes one request to a feed for many clients, whether they wait for each other or no longer', async () => {
    const { origin, nginx } = await open('whole');
    const { sha256 } = origin.offer('/a.rpm', 1000);
    origin.feed.hold();
    const all = Array.from({ length: 20 }, () => askWhole(`${nginx.url}/a.rpm`));
    await until(async () => (await nginx.answering()) === 20);
    origin.feed.release();
    for (const whole of all) expect(await whole).toMatchObject({ status: 200, sha256 });
    expect(origin.feed.asked('/a.rpm')).toHaveLength(1);
  });

  it('sends a part as soon as it arrives, and fetches the whole, even if no client waits for it', async () => {
    const { origin, nginx } = await open('whole');
    const { body, sha256 } = origin.offer('/a.iso');
    origin.feed.hold();
    const part = await askWhole(`${nginx.url}/a.iso`, { Range: 'bytes=1000-1999' });
    expect(part.status).toBe(206);
    expect(part.headers).toMatchObject({ 'content-range': `bytes 1000-1999/${body.length}`, ...MISS });
    expect(part.body.equals(body.subarray(1000, 2000))).toBe(true);
    origin.feed.release();
    await origin.logged('/a.iso');
    expect(await askWhole(`${nginx.url}/a.iso`)).toMatchObject({ status: 200, headers: HIT, sha256 });
    const last = await askWhole(`${nginx.url}/a.iso`, { Range: 'bytes=-10' });
    expect(last).toMatchObject({ status: 206, headers: HIT });
    expect(last.body.equals(body.subarray(-10))).toBe(true);
    expect(origin.feed.asked('/a.iso')).toEqual([undefined]);
  });

  for (const [what, how] of [
    ['with a length', undefined],
    ['without a length', 'unmeasured'],
  ] as const)
    it(`keeps no truncated answer ${what}, and no client mistakes it for a complete one`, async () => {
      const { origin, nginx } = await open('whole');
      const { sha256 } = origin.offer('/a.iso', undefined, how);
      origin.feed.hold();
      const response = await ask(`${nginx.url}/a.iso`);
      origin.feed.cut();
      await expect(readWhole(response)).rejects.toThrow('aborted');
      expect(await origin.logged('/a.iso')).toMatchObject([{ status: 200, outcome: 'failed' }]);
      origin.feed.release();
      expect(await askWhole(`${nginx.url}/a.iso`)).toMatchObject({ status: 200, headers: MISS, sha256 });
    });

  it('keeps no error', async () => {
    const { origin, nginx } = await open('whole');
    expect(await askWhole(`${nginx.url}/a.rpm`)).toMatchObject({ status: 404, headers: MISS });
    origin.feed.cut();
    const { sha256: small } = origin.offer('/small.rpm', 1000);
    expect(await askWhole(`${nginx.url}/small.rpm`)).toMatchObject({ status: 502, headers: MISS });
    origin.feed.release();
    const { sha256 } = origin.offer('/a.rpm');
    expect(await askWhole(`${nginx.url}/a.rpm`)).toMatchObject({ status: 200, headers: MISS, sha256 });
    expect(await askWhole(`${nginx.url}/small.rpm`)).toMatchObject({ status: 200, headers: MISS, sha256: small });
  });

  it('revalidates an expired file without a transfer', async () => {
    const { origin, nginx } = await open('whole', { cacheTimeout: 1 });
    const { sha256 } = origin.offer('/a.rpm', 1000);
    await until(async () => {
      const whole = await askWhole(`${nginx.url}/a.rpm`);
      expect(whole).toMatchObject({ status: 200, sha256 });
      return whole.headers['x-cache'] === 'REVALIDATED';
    });
    expect(await origin.logged('/a.rpm', 2)).toMatchObject([{ status: 200 }, { status: 304 }]);
    expect(origin.feed.asked('/a.rpm')).toHaveLength(1);
  });

  it('still serves kept files while the streamer is down', async () => {
    const { origin, nginx } = await open('whole');
    const { sha256 } = origin.offer('/a.rpm', 1000);
    await askWhole(`${nginx.url}/a.rpm`);
    await origin.stop();
    expect(await askWhole(`${nginx.url}/a.rpm`)).toMatchObject({ status: 200, headers: HIT, sha256 });
    expect(await askWhole(`${nginx.url}/b.rpm`)).toMatchObject({ status: 502 });
  });
});

describe('nginx with slices, as shipped in examples/nginx', () => {
  const SLICE = 4 << 20;

  it('requests only the slices that clients read, each once, and nothing of the feed once there is a copy', async () => {
    const { origin, nginx } = await open('slices', { dispatch: 'save' });
    const { body, sha256 } = origin.offer('/a.iso', 3 * SLICE);
    await origin.copied('/a.iso');
    const before = origin.served('/a.iso');
    const asked = origin.feed.asked('/a.iso').length;
    const range = { Range: `bytes=${SLICE + 1000}-${SLICE + 1999}` };
    const part = await askWhole(`${nginx.url}/a.iso`, range);
    expect(part).toMatchObject({ status: 206, headers: MISS });
    expect(part.body.equals(body.subarray(SLICE + 1000, SLICE + 2000))).toBe(true);
    expect(await askWhole(`${nginx.url}/a.iso`, range)).toMatchObject({ status: 206, headers: HIT });
    const wholes = Array.from({ length: 10 }, () => askWhole(`${nginx.url}/a.iso`));
    for (const whole of wholes) expect(await whole).toMatchObject({ status: 200, sha256 });
    expect(origin.served('/a.iso')).toBe(before + 3);
    expect(origin.feed.asked('/a.iso')).toHaveLength(asked);
  });

  it('serves the whole, and parts of it, even if the streamer has no copy', async () => {
    const { origin, nginx } = await open('slices');
    const { body, sha256 } = origin.offer('/a.iso', 3 * SLICE);
    const part = await askWhole(`${nginx.url}/a.iso`, { Range: `bytes=${SLICE + 1000}-${SLICE + 1999}` });
    expect(part.body.equals(part.status === 206 ? body.subarray(SLICE + 1000, SLICE + 2000) : body)).toBe(true);
    expect(await askWhole(`${nginx.url}/a.iso`)).toMatchObject({ status: 200, sha256 });
  });

  it('keeps no truncated slice, and joins none of different files', async () => {
    const { origin, nginx } = await open('slices');
    const tagged = (tag: string) => ({ checksum: false, ranges: true, fields: { ETag: tag } });
    const { body, sha256 } = origin.offer('/a.iso', 3 * SLICE, tagged('"a"'));
    origin.feed.cut();
    expect(await askWhole(`${nginx.url}/a.iso`)).toMatchObject({ status: 502 });
    origin.feed.release();
    expect(await askWhole(`${nginx.url}/a.iso`)).toMatchObject({ status: 200, sha256 });

    origin.offer('/b.iso', 3 * SLICE, tagged('"b"'));
    await askWhole(`${nginx.url}/b.iso`, { Range: 'bytes=0-9' });
    origin.offer('/b.iso', body.length, tagged('"c"'));
    await expect(askWhole(`${nginx.url}/b.iso`)).rejects.toThrow('aborted');
  });
});

describe('nginx with signed URLs, as shipped in examples/nginx', () => {
  const PATH = '/var/lib/pulp/content/units/rpm/76/78177c/bear-4.1+1.noarch.rpm';
  const TARGET = `/streamer${PATH}`;

  it('passes requests that are signed for the client, and keeps each file once', async () => {
    const { adminPort, settings } = await askedByProxies(folder());
    const origin = await openOrigin(settings);
    const places = { 8751: new URL(origin.url).port, 8752: adminPort };
    const nginx = await startNginx(start, folder(), 'signed', places);
    const { sha256 } = origin.offer(PATH);
    const get = (target: string, headers = {}) => askWhole(nginx.url + target, headers);

    for (const [what, target] of Object.entries(badlySigned(TARGET))) {
      const { status } = await get(target, { 'X-Forwarded-For': '192.0.2.7', 'X-Original-URI': signed(TARGET) });
      expect({ what, status }).toEqual({ what, status: 403 });
    }
    for (const target of [signed(PATH), '/_signed']) expect(await get(target)).toMatchObject({ status: 404 });
    expect(origin.served(PATH)).toBe(0);

    const liar = { 'X-Forwarded-For': '192.0.2.7' };
    expect(await get(signed(TARGET), liar)).toMatchObject({ status: 200, headers: MISS, sha256 });
    expect(await origin.logged(PATH)).toMatchObject([{ client: '127.0.0.1' }]);
    expect(await get(signed(TARGET, { remoteIp: '127.0.0.1' }))).toMatchObject({ status: 200, headers: HIT, sha256 });
    expect(await get(signed(`/streamer/${PATH}`))).toMatchObject({ status: 200, headers: HIT, sha256 });
    expect((await get(TARGET)).status).toBe(403);
    // Of the client, and none of the check's business.
    const page = { Host: 'mirror.example', Origin: 'https://shop.example' };
    expect(await get(signed(TARGET), page)).toMatchObject({ status: 200, headers: HIT, sha256 });
    const several = { Range: 'bytes=0-9,20-29' };
    expect(await get(TARGET, several)).toMatchObject({ status: 403 });
    expect(await get(PATH, several)).toMatchObject({ status: 404 });
    expect(origin.served(PATH)).toBe(1);
    expect(await get(signed(TARGET), several)).toMatchObject({ status: 206 });
    await origin.stop();
    expect((await get(signed(TARGET))).status).toBe(500);
  });
});
