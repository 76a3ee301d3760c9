import { describe, expect } from '@jest/globals';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { ask, askWhole, readWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { openOrigins } from '../support/origin.ts';
import { processes } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { startSquid } from '../support/squid.ts';
import { until } from '../support/until.ts';

const start = processes();
const folder = temporaryFolders();
const it = itNeeding(['squid']);
const openOrigin = openOrigins();

const open = async (settings: SettingOptions = {}) => {
  const origin = await openOrigin(settings);
  return { origin, squid: await startSquid(start, folder(), origin.url) };
};

const MISS = { 'x-cache': expect.stringMatching(/^MISS /) };
const HIT = { 'x-cache': expect.stringMatching(/^HIT /) };

describe('Squid, as shipped in examples/squid', () => {
  it('requests a file once and keeps it, for any host name of the client', async () => {
    const { origin, squid } = await open();
    const { sha256 } = origin.offer('/a.rpm');
    expect(await askWhole(`${squid.url}/a.rpm`)).toMatchObject({ status: 200, headers: MISS, sha256 });
    expect(await askWhole(`${squid.url}/a.rpm`)).toMatchObject({ status: 200, headers: HIT, sha256 });
    expect(await askWhole(`${squid.url}/a.rpm`, { Host: 'mirror' })).toMatchObject({ headers: HIT, sha256 });
    expect(origin.served('/a.rpm')).toBe(1);
  });

  it('streams, with one request for many clients', async () => {
    const { origin, squid } = await open();
    const { sha256 } = origin.offer('/a.rpm');
    origin.feed.hold();
    const heads = await Promise.all(Array.from({ length: 20 }, () => ask(`${squid.url}/a.rpm`)));
    const wholes = heads.map(readWhole);
    origin.feed.release();
    for (const whole of wholes) expect(await whole).toMatchObject({ status: 200, sha256 });
    expect(origin.served('/a.rpm')).toBe(1);
  });

  it('fetches the whole file for a range request, even if no client waits for it', async () => {
    const { origin, squid } = await open();
    const { body, sha256 } = origin.offer('/a.iso');
    origin.feed.hold();
    const part = await askWhole(`${squid.url}/a.iso`, { Range: 'bytes=1000-1999', Connection: 'close' });
    expect(part).toMatchObject({ status: 206, headers: { 'content-range': `bytes 1000-1999/${body.length}` } });
    expect(part.body.equals(body.subarray(1000, 2000))).toBe(true);
    origin.feed.release();
    expect(await askWhole(`${squid.url}/a.iso`)).toMatchObject({ status: 200, sha256 });
    const end = await askWhole(`${squid.url}/a.iso`, { Range: 'bytes=-10' });
    expect(end).toMatchObject({ status: 206, headers: HIT });
    expect(end.body.equals(body.subarray(-10))).toBe(true);
    expect(await origin.logged('/a.iso')).toMatchObject([{ status: 200, outcome: 'complete' }]);
    expect(origin.feed.asked('/a.iso')).toEqual([undefined]);
  });

  it('completes a fetch after its client left', async () => {
    const { origin, squid } = await open();
    const { sha256 } = origin.offer('/a.iso');
    origin.feed.hold();
    const leaver = await ask(`${squid.url}/a.iso`);
    leaver.destroy();
    await until(() => squid.accessLog().includes('/a.iso'));
    origin.feed.release();
    expect(await askWhole(`${squid.url}/a.iso`)).toMatchObject({ status: 200, sha256 });
    expect(await origin.logged('/a.iso')).toMatchObject([{ status: 200, outcome: 'complete' }]);
  });

  for (const [what, how] of [
    ['with a length', undefined],
    ['without a length', 'unmeasured'],
  ] as const)
    it(`keeps no truncated answer ${what}, and no client mistakes it for a complete one`, async () => {
      const { origin, squid } = await open();
      const { sha256 } = origin.offer('/a.iso', undefined, how);
      origin.feed.hold();
      const response = await ask(`${squid.url}/a.iso`);
      origin.feed.cut();
      await expect(readWhole(response)).rejects.toThrow('aborted');
      expect(await origin.logged('/a.iso')).toMatchObject([{ status: 200, outcome: 'failed' }]);
      origin.feed.release();
      expect(await askWhole(`${squid.url}/a.iso`)).toMatchObject({ status: 200, headers: MISS, sha256 });
    });

  it('keeps no response whose end is marked only by the end of the connection', async () => {
    const { origin, squid } = await open();
    const { body, sha256 } = origin.offer('/a.rpm', 1000, { checksum: false, framing: 'close' });
    origin.feed.end();
    const broken = await askWhole(`${squid.url}/a.rpm`);
    expect(broken).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    expect(broken.body.length).toBeLessThan(body.length);
    origin.feed.release();
    for (const _ of [1, 2]) expect(await askWhole(`${squid.url}/a.rpm`)).toMatchObject({ headers: MISS, sha256 });
  });

  it('keeps no error', async () => {
    const { origin, squid } = await open();
    expect(await askWhole(`${squid.url}/a.rpm`)).toMatchObject({ status: 404, headers: MISS });
    origin.promise('/a.rpm');
    origin.feed.cut();
    const { sha256: small } = origin.offer('/small.rpm', 1000);
    expect(await askWhole(`${squid.url}/small.rpm`)).toMatchObject({ status: 502, headers: MISS });
    origin.feed.release();
    expect(await askWhole(`${squid.url}/a.rpm`)).toMatchObject({ status: 404, headers: MISS });
    const { sha256 } = origin.offer('/a.rpm');
    expect(await askWhole(`${squid.url}/a.rpm`)).toMatchObject({ status: 200, headers: MISS, sha256 });
    expect(await askWhole(`${squid.url}/small.rpm`)).toMatchObject({ status: 200, headers: MISS, sha256: small });
  });

  it('revalidates a kept file with the streamer, without a transfer', async () => {
    const { origin, squid } = await open();
    const { sha256 } = origin.offer('/a.rpm');
    await askWhole(`${squid.url}/a.rpm`);
    expect(await askWhole(`${squid.url}/a.rpm`, { 'Cache-Control': 'max-age=0' })).toMatchObject({
      status: 200,
      sha256,
    });
    expect(await origin.logged('/a.rpm', 2)).toMatchObject([{ status: 200 }, { status: 304 }]);
    expect(origin.feed.asked('/a.rpm')).toHaveLength(1);
  });

  it('still serves kept files while the streamer is down', async () => {
    const { origin, squid } = await open();
    const { sha256 } = origin.offer('/a.rpm', 1000);
    await askWhole(`${squid.url}/a.rpm`);
    await origin.stop();
    expect(await askWhole(`${squid.url}/a.rpm`)).toMatchObject({ status: 200, headers: HIT, sha256 });
    expect(await askWhole(`${squid.url}/b.rpm`)).toMatchObject({ status: 503 });
  });

  it('serves no expired file while the streamer is down', async () => {
    const { origin, squid } = await open({ cacheTimeout: 1 });
    origin.offer('/a.rpm', 1000);
    expect(await askWhole(`${squid.url}/a.rpm`)).toMatchObject({ status: 200 });
    await origin.stop();
    await until(async () => (await askWhole(`${squid.url}/a.rpm`)).status === 504);
  });
});
