import { describe, expect } from '@jest/globals';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { startApacheCache } from '../support/apache.ts';
import { ask, askWhole, readWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { openOrigins } from '../support/origin.ts';
import { processes } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { until } from '../support/until.ts';

const start = processes();
const folder = temporaryFolders();
const it = itNeeding(['apache2']);
const openOrigin = openOrigins();

const open = async (settings: SettingOptions = {}) => {
  const origin = await openOrigin(settings);
  const { url } = await startApacheCache(start, folder(), origin.url);
  const get = (path: string, headers = {}) => askWhole(url + path, headers);
  return {
    origin,
    url,
    get,
    /**
     * Has a path kept. Resolves once Apache must revalidate it, which only the time shows, to the
     * second.
     */
    over: async (path: string) => {
      const since = Date.parse((await get(path)).headers.date ?? '');
      await until(async () => Date.parse((await get('/other')).headers.date ?? '') - since >= 2000);
    },
  };
};

const MISS = { 'x-cache': expect.stringMatching(/^MISS /) };
const HIT = { 'x-cache': expect.stringMatching(/^HIT /) };
const DATE = new Date('2020-01-01').toUTCString();

describe('Apache that keeps files, as shipped in examples/apache', () => {
  it('requests a file once and keeps it, for any host or query of the client', async () => {
    const { origin, get } = await open();
    const { body, sha256 } = origin.offer('/a+b.iso');
    expect(await get('/a+b.iso')).toMatchObject({ status: 200, headers: MISS, sha256 });
    expect(await get('/a+b.iso?x', { Host: 'mirror' })).toMatchObject({ status: 200, headers: HIT, sha256 });
    const part = await get('/a+b.iso', { Range: 'bytes=1000-1999' });
    expect(part).toMatchObject({ status: 206, headers: HIT });
    expect(part.body.equals(body.subarray(1000, 2000))).toBe(true);
    expect(origin.served('/a+b.iso')).toBe(1);
  });

  it('does not treat an encoded slash as a slash', async () => {
    const { origin, get } = await open();
    const slash = origin.offer('/a/b.rpm', 1000);
    const encoded = origin.offer('/a%2Fb.rpm', 1000);
    for (const headers of [MISS, HIT]) {
      expect(await get('/a/b.rpm')).toMatchObject({ headers, sha256: slash.sha256 });
      expect(await get('/a%2Fb.rpm')).toMatchObject({ headers, sha256: encoded.sha256 });
    }
  });

  it('streams to many clients with one transfer from the feed', async () => {
    const { origin, url } = await open();
    // Half of the bytes that the streamer keeps of a transfer for late clients.
    const { sha256 } = origin.offer('/a.rpm', 400 << 10, { checksum: false, fields: { ETag: '"a"' } });
    origin.feed.hold();
    const heads = await Promise.all(Array.from({ length: 20 }, () => ask(`${url}/a.rpm`)));
    const wholes = heads.map(readWhole);
    origin.feed.release();
    for (const whole of wholes) expect(await whole).toMatchObject({ status: 200, sha256 });
    expect(origin.feed.asked('/a.rpm')).toHaveLength(1);
  });

  it('requests a part as a part, and does not keep it', async () => {
    const { origin, get } = await open();
    const { body } = origin.offer('/a.iso', undefined, { ranges: true });
    const part = { Range: 'bytes=1000-1999' };
    for (const _ of [1, 2]) {
      const answer = await get('/a.iso', part);
      expect(answer).toMatchObject({ status: 206, headers: MISS });
      expect(answer.body.equals(body.subarray(1000, 2000))).toBe(true);
    }
    expect(origin.feed.asked('/a.iso')).toEqual([part.Range, part.Range]);
  });

  for (const [what, how] of [
    ['with a length', undefined],
    ['without a length', 'unmeasured'],
  ] as const)
    it(`keeps no truncated answer ${what}, and no client mistakes it for a complete one`, async () => {
      const { origin, url, get } = await open();
      const { sha256 } = origin.offer('/a.iso', undefined, how);
      origin.feed.hold();
      const response = await ask(`${url}/a.iso`);
      origin.feed.cut();
      await expect(readWhole(response)).rejects.toThrow('aborted');
      origin.feed.release();
      expect(await get('/a.iso')).toMatchObject({ status: 200, headers: MISS, sha256 });
    });

  it('keeps no error', async () => {
    const { origin, get } = await open();
    expect(await get('/a.rpm')).toMatchObject({ status: 404, headers: MISS });
    const { sha256 } = origin.offer('/a.rpm', 1000);
    origin.feed.cut();
    expect(await get('/a.rpm')).toMatchObject({ status: 502, headers: MISS });
    origin.feed.release();
    expect(await get('/a.rpm')).toMatchObject({ status: 200, headers: MISS, sha256 });
  });

  it('revalidates an expired file without a transfer, and does not serve it while the streamer is down', async () => {
    const { origin, get } = await open({ cacheTimeout: 1 });
    const { sha256 } = origin.offer('/a.rpm', 1000);
    await until(async () => {
      expect(await get('/a.rpm')).toMatchObject({ status: 200, sha256 });
      return origin.served('/a.rpm') > 1;
    });
    expect(await origin.logged('/a.rpm')).toMatchObject([{ status: 200 }, { status: 304 }]);
    await origin.stop();
    await until(async () => (await get('/a.rpm')).status === 503);
  });

  it('does not serve a removed file while the streamer is down', async () => {
    const { origin, get } = await open({ cacheTimeout: 1 });
    origin.offer('/a.rpm', 1000);
    await get('/a.rpm');
    origin.remove('/a.rpm');
    await until(async () => (await get('/a.rpm')).status === 404);
    await origin.stop();
    expect(await get('/a.rpm')).toMatchObject({ status: 503 });
  });

  it('requests a file again if a client wants the newest, and keeps it for all', async () => {
    const { origin, get } = await open();
    origin.offer('/repodata/repomd.xml', 1000);
    await get('/repodata/repomd.xml');
    for (const headers of [{ 'Cache-Control': 'no-cache' }, { 'Cache-Control': 'max-age=0' }]) {
      const { sha256 } = origin.offer('/repodata/repomd.xml', 1000);
      expect(await get('/repodata/repomd.xml', headers)).toMatchObject({ status: 200, sha256 });
      expect(await get('/repodata/repomd.xml')).toMatchObject({ headers: HIT, sha256 });
    }
  });

  for (const [what, tags] of Object.entries({
    'its tag': (tag: string) => tag,
    'a list with its tag': (tag: string) => `"another", ${tag}`,
    'any tag': () => '*',
  }))
    it(`is not poisoned by a client that has the newest version and sends ${what}`, async () => {
      const { origin, get, over } = await open({ cacheTimeout: 1 });
      origin.offer('/a.rpm', 1000);
      await over('/a.rpm');
      const { sha256 } = origin.offer('/a.rpm', 1000);
      const etag = `"${sha256}"`;
      expect(await get('/a.rpm', { 'If-None-Match': tags(etag) })).toMatchObject({ headers: { etag } });
      expect(await get('/a.rpm')).toMatchObject({ status: 200, headers: { etag }, sha256 });
    });

  it('answers ranges and conditions as the streamer does, and keeps its files', async () => {
    const { origin, get } = await open();
    const { body, sha256 } = origin.offer('/a.rpm', 1000, { fields: { 'Last-Modified': DATE } });
    await get('/a.rpm');
    const part = { Range: 'bytes=100-199' };
    for (const [status, headers] of [
      [206, part],
      [206, { ...part, 'If-Range': `"${sha256}"` }],
      [200, { ...part, 'If-Range': '"another"' }],
      [206, { Range: 'bytes=100-199,300-399' }],
      [206, { Range: 'bytes=300-399,100-199' }],
      [416, { Range: 'bytes=1000-' }],
      [304, { 'If-None-Match': `"${sha256}"` }],
      [200, { 'If-None-Match': '"another"' }],
      [304, { 'If-Modified-Since': DATE }],
    ] as const) {
      const answer = await get('/a.rpm', headers);
      expect({ headers, status: answer.status }).toEqual({ headers, status });
      if (status === 200) expect(answer.sha256).toBe(sha256);
      if (answer.headers['content-range']?.startsWith('bytes 100-199/'))
        expect(answer.body.equals(body.subarray(100, 200))).toBe(true);
      expect(await get('/a.rpm')).toMatchObject({ status: 200, headers: HIT, sha256 });
    }
  });

  it('leaves If-Match to the streamer, and ignores If-Unmodified-Since, for expired files too', async () => {
    const asked = { 'If-Unmodified-Since': new Date('2019-01-01').toUTCString() };
    const { origin, get, over } = await open({ cacheTimeout: 1 });
    const { sha256 } = origin.offer('/a.rpm', 1000, { fields: { 'Last-Modified': DATE } });
    await get('/a.rpm');
    for (let times = 0; times < 2; times++) {
      expect(await get('/a.rpm', asked)).toMatchObject({ status: 200, sha256 });
      expect(await get('/a.rpm', { 'If-Match': '"another"' })).toMatchObject({ status: 412 });
      await over('/a.rpm');
    }
  });

  for (const [what, conditions] of Object.entries({
    'a range': () => ({}),
    'If-Range of the one before': (old: string) => ({ 'If-Range': `"${old}"` }),
    'If-None-Match of the one before': (old: string) => ({ 'If-None-Match': `"${old}"` }),
  }))
    it(`uses no part of an expired and replaced file for ${what}`, async () => {
      const { origin, get, over } = await open({ cacheTimeout: 1 });
      const old = origin.offer('/a.rpm', 1000);
      await over('/a.rpm');
      const { body, sha256 } = origin.offer('/a.rpm', 1000);
      const answer = await get('/a.rpm', { Range: 'bytes=100-199', ...conditions(old.sha256) });
      expect(answer.headers).toMatchObject({ etag: `"${sha256}"` });
      expect(answer.body.equals(answer.status === 206 ? body.subarray(100, 200) : body)).toBe(true);
      expect(await get('/a.rpm')).toMatchObject({ status: 200, sha256 });
    });
});
