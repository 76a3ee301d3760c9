import { describe, expect } from '@jest/globals';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { ask, askWhole, readWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { openOrigins } from '../support/origin.ts';
import { processes } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { until } from '../support/until.ts';
import { startVarnish } from '../support/varnish.ts';

const start = processes();
const folder = temporaryFolders();
const it = itNeeding(['varnishd']);
const openOrigin = openOrigins();

const open = async (settings: SettingOptions = {}) => {
  const origin = await openOrigin(settings);
  return { origin, varnish: await startVarnish(start, folder(), origin.url) };
};

const MISS = { 'x-cache': 'MISS' };
const HIT = { 'x-cache': 'HIT' };

describe('Varnish, as shipped in examples/varnish', () => {
  it('requests a file once and keeps it, for any host, query or cookie of the client', async () => {
    const { origin, varnish } = await open();
    const { sha256 } = origin.offer('/a.rpm');
    expect(await askWhole(`${varnish.url}/a.rpm`)).toMatchObject({ status: 200, headers: MISS, sha256 });
    expect(await askWhole(`${varnish.url}/a.rpm`)).toMatchObject({ status: 200, headers: HIT, sha256 });
    const other = await askWhole(`${varnish.url}/a.rpm?x`, {
      Host: 'mirror',
      Cookie: 'a=b',
      Authorization: 'Basic YTpi',
    });
    expect(other).toMatchObject({ status: 200, headers: HIT, sha256 });
    expect(origin.served('/a.rpm')).toBe(1);
  });

  it('streams, with one request for many clients', async () => {
    const { origin, varnish } = await open();
    const { sha256 } = origin.offer('/a.rpm');
    origin.feed.hold();
    const heads = await Promise.all(Array.from({ length: 20 }, () => ask(`${varnish.url}/a.rpm`)));
    const wholes = heads.map(readWhole);
    origin.feed.release();
    for (const whole of wholes) expect(await whole).toMatchObject({ status: 200, sha256 });
    expect(origin.served('/a.rpm')).toBe(1);
  });

  it('sends a part as soon as it arrives, and fetches the whole, even if no client waits for it', async () => {
    const { origin, varnish } = await open();
    const { body, sha256 } = origin.offer('/a.iso');
    origin.feed.hold();
    const part = await askWhole(`${varnish.url}/a.iso`, { Range: 'bytes=1000-1999' });
    expect(part).toMatchObject({ status: 206, headers: { 'content-range': `bytes 1000-1999/${body.length}` } });
    expect(part.body.equals(body.subarray(1000, 2000))).toBe(true);
    origin.feed.release();
    await origin.logged('/a.iso');
    expect(await askWhole(`${varnish.url}/a.iso`)).toMatchObject({ status: 200, headers: HIT, sha256 });
    const end = await askWhole(`${varnish.url}/a.iso`, { Range: 'bytes=-10' });
    expect(end).toMatchObject({ status: 206, headers: HIT });
    expect(end.body.equals(body.subarray(-10))).toBe(true);
    expect(origin.feed.asked('/a.iso')).toEqual([undefined]);
  });

  for (const [what, how] of [
    ['with a length', undefined],
    ['without a length', 'unmeasured'],
  ] as const)
    it(`keeps no truncated answer ${what}, and no client mistakes it for a complete one`, async () => {
      const { origin, varnish } = await open();
      const { sha256 } = origin.offer('/a.iso', undefined, how);
      origin.feed.hold();
      const response = await ask(`${varnish.url}/a.iso`);
      origin.feed.cut();
      await expect(readWhole(response)).rejects.toThrow('aborted');
      expect(await origin.logged('/a.iso')).toMatchObject([{ status: 200, outcome: 'failed' }]);
      origin.feed.release();
      expect(await askWhole(`${varnish.url}/a.iso`)).toMatchObject({ status: 200, headers: MISS, sha256 });
    });

  it('keeps no error', async () => {
    const { origin, varnish } = await open();
    expect(await askWhole(`${varnish.url}/a.rpm`)).toMatchObject({ status: 404, headers: MISS });
    origin.feed.cut();
    const { sha256: small } = origin.offer('/small.rpm', 1000);
    expect(await askWhole(`${varnish.url}/small.rpm`)).toMatchObject({ status: 502, headers: MISS });
    origin.feed.release();
    const { sha256 } = origin.offer('/a.rpm');
    expect(await askWhole(`${varnish.url}/a.rpm`)).toMatchObject({ status: 200, headers: MISS, sha256 });
    expect(await askWhole(`${varnish.url}/small.rpm`)).toMatchObject({ status: 200, headers: MISS, sha256: small });
  });

  it('revalidates an expired file without a transfer', async () => {
    const { origin, varnish } = await open({ cacheTimeout: 1 });
    const { sha256 } = origin.offer('/a.rpm', 1000);
    await until(async () => {
      expect(await askWhole(`${varnish.url}/a.rpm`)).toMatchObject({ status: 200, sha256 });
      return origin.served('/a.rpm') > 1;
    });
    expect(await origin.logged('/a.rpm')).toMatchObject([{ status: 200 }, { status: 304 }]);
    expect(origin.feed.asked('/a.rpm')).toHaveLength(1);
  });

  it('requests only a head if the client does, and still serves kept files while the streamer is down', async () => {
    const { origin, varnish } = await open();
    const { body, sha256 } = origin.offer('/a.rpm');
    const head = { status: 200, headers: { 'content-length': String(body.length) }, body: Buffer.alloc(0) };
    expect(await askWhole(`${varnish.url}/a.rpm`, {}, 'HEAD')).toMatchObject(head);
    expect(await origin.logged('/a.rpm')).toMatchObject([{ method: 'HEAD' }]);
    await askWhole(`${varnish.url}/a.rpm`);
    await origin.stop();
    expect(await askWhole(`${varnish.url}/a.rpm`, {}, 'HEAD')).toMatchObject({ ...head, headers: HIT });
    expect(await askWhole(`${varnish.url}/a.rpm`)).toMatchObject({ status: 200, headers: HIT, sha256 });
    expect(await askWhole(`${varnish.url}/b.rpm`)).toMatchObject({ status: 503 });
  });
});
