import { describe, expect } from '@jest/globals';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { askWhole, type Whole } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
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

const open = async (settings: SettingOptions = {}, change?: (configuration: string) => string) => {
  const origin = await openOrigin(settings);
  const squid = await startSquid(start, folder(), origin.url, change);
  const get = (path: string, headers = {}) => askWhole(squid.url + path, headers);
  return {
    origin,
    get,
    /** Resolves once Squid must revalidate the kept file before it serves it. */
    over: (path: string) => until(async () => (await get(path, { 'Cache-Control': 'only-if-cached' })).status === 504),
  };
};

const MISS = { 'x-cache': expect.stringMatching(/^MISS /) };
const HIT = { 'x-cache': expect.stringMatching(/^HIT /) };
const DATE = new Date('2020-01-01').toUTCString();

/** Conditions that match a tag. */
const ASKED_BY_TAG = {
  'its tag': (tag: string) => tag,
  'a list with its tag': (tag: string) => `"another", ${tag}`,
  'any tag': () => '*',
};

/** The bytes that an answer claims to contain: all, if it names no range. */
const claimed = (body: Buffer, { status, headers }: Whole): Buffer | undefined => {
  if (status === 200) return body;
  const [, first, last] = /^bytes (\d+)-(\d+)\//.exec(headers['content-range'] ?? '') ?? [];
  return first === undefined ? undefined : body.subarray(Number(first), Number(last) + 1);
};

describe('Squid, as shipped in examples/squid', () => {
  for (const [what, tags] of Object.entries(ASKED_BY_TAG))
    it(`is not poisoned by a client that has the newest version and sends ${what}`, async () => {
      const { origin, get, over } = await open({ cacheTimeout: 1 });
      origin.offer('/a.rpm', 1000);
      await get('/a.rpm');
      await over('/a.rpm');
      const { sha256 } = origin.offer('/a.rpm', 1000);
      const etag = `"${sha256}"`;
      expect(await get('/a.rpm', { 'If-None-Match': tags(etag) })).toMatchObject({ status: 304, headers: { etag } });
      expect(await get('/a.rpm')).toMatchObject({ status: 200, headers: { etag }, sha256 });
    });

  it('is not poisoned by a newer version with an older date', async () => {
    const { origin, get, over } = await open({ cacheTimeout: 1 });
    origin.offer('/a.rpm', 1000, { checksum: false });
    await get('/a.rpm');
    await over('/a.rpm');
    const bytes = someBytes(1000);
    origin.feed.put('/a.rpm', { bytes, framing: 'length', fields: { 'Last-Modified': DATE } });
    expect(await get('/a.rpm')).toMatchObject({ status: 200, sha256: digestOf(bytes) });
  });

  for (const [what, headers] of Object.entries({
    'If-Range that fails': { Range: 'bytes=400-499', 'If-Range': '"another"' },
    'If-Range with another date': { Range: 'bytes=400-499', 'If-Range': DATE },
    'ranges that overlap': { Range: 'bytes=400-499,450-599' },
    'ranges that descend': { Range: 'bytes=400-499,200-299' },
    'ranges none of which exists': { Range: 'bytes=5000-,6000-' },
  }))
    it(`sends exactly the stated bytes for ${what}, on a miss and on a hit, and keeps the file`, async () => {
      const { origin, get } = await open();
      const missed = origin.offer('/missed.rpm', 1000);
      const kept = origin.offer('/kept.rpm', 1000);
      await get('/kept.rpm');
      for (const [path, { body }] of [
        ['/missed.rpm', missed],
        ['/kept.rpm', kept],
      ] as const) {
        const answer = await get(path, headers);
        const bytes = claimed(body, answer);
        if (bytes) expect(answer.body.equals(bytes)).toBe(true);
        else expect([206, 416]).toContain(answer.status);
        if (headers['If-Range']) expect(answer.status).toBe(200);
      }
      expect(await get('/kept.rpm')).toMatchObject({ status: 200, headers: HIT, sha256: kept.sha256 });
    });

  it('sends exactly the stated bytes of content of unknown length', async () => {
    const { origin, get } = await open();
    const small = origin.offer('/small.iso', 2000, 'unmeasured');
    const large = origin.offer('/large.iso', undefined, 'unmeasured');
    for (const [path, { body }] of [
      ['/small.iso', small],
      ['/large.iso', large],
    ] as const)
      for (const headers of [{ Range: 'bytes=36-1731' }, {}, { Range: 'bytes=36-1731' }, { Range: 'bytes=-500' }]) {
        const answer = await get(path, headers);
        expect(answer.body.equals(claimed(body, answer) ?? Buffer.of())).toBe(true);
      }
  });

  it('passes on conditions that only the streamer can judge, and serves kept files to all others', async () => {
    const { origin, get } = await open();
    const { body, sha256 } = origin.offer('/a.rpm', 1000, { fields: { 'Last-Modified': DATE } });
    const etag = `"${sha256}"`;
    expect(await get('/a.rpm')).toMatchObject({ status: 200, headers: MISS, sha256 });
    const part = { Range: 'bytes=100-199' };
    const passed = [
      [304, { 'If-None-Match': etag }],
      [206, { ...part, 'If-Range': etag }],
      [200, { ...part, 'If-Range': '"another"' }],
      [206, { Range: 'bytes=100-199,300-399' }],
      [412, { 'If-Match': '"another"' }],
      [412, { ...part, 'If-Match': '"another"' }],
      [206, { ...part, 'If-Match': etag }],
      [412, { 'If-Unmodified-Since': new Date('2019-01-01').toUTCString() }],
    ] as const;
    for (const [status, headers] of passed) {
      expect(await get('/a.rpm', headers)).toMatchObject({ status, headers: MISS });
      expect(await get('/a.rpm')).toMatchObject({ status: 200, headers: HIT, sha256 });
    }
    const served = origin.served('/a.rpm');
    const ranged = await get('/a.rpm', part);
    expect(ranged).toMatchObject({ status: 206, headers: HIT, body: body.subarray(100, 200) });
    expect(await get('/a.rpm', { 'If-Modified-Since': DATE })).toMatchObject({ status: 304 });
    expect(origin.served('/a.rpm')).toBe(served);
  });

  it('answers no client with the 304 or 412 of another client’s conditions', async () => {
    const { origin, get } = await open();
    const { sha256 } = origin.offer('/a.rpm', 1000, { checksum: false, fields: { 'Last-Modified': DATE } });
    origin.feed.mute();
    const first = get('/a.rpm', { 'If-Modified-Since': DATE });
    const second = get('/a.rpm', { 'If-Unmodified-Since': new Date('2019-01-01').toUTCString() });
    await until(() => origin.feed.asked('/a.rpm').length === 2);
    const [plain, part] = [get('/a.rpm'), get('/a.rpm', { Range: 'bytes=0-9' })];
    // They are in progress: Squid answers in the order of the requests.
    await get('/b.rpm');
    origin.feed.release();
    expect(await plain).toMatchObject({ status: 200, sha256 });
    expect(await part).toMatchObject({ status: 206 });
    expect(await second).toMatchObject({ status: 412 });
    expect(await first).toMatchObject({ status: 200, sha256 });
  });
});

describe('Settings of Squid that only look cheaper', () => {
  for (const [what, conditions] of Object.entries({
    'a tag': (etag: string) => ({ 'If-None-Match': etag }),
    'If-Range': (etag: string) => ({ Range: 'bytes=0-9', 'If-Range': etag }),
    'two ranges': () => ({ Range: 'bytes=0-9,20-29' }),
  }))
    it(`send_hit deny discards the kept file at a request with ${what}`, async () => {
      const { origin, get } = await open({}, (shipped) =>
        shipped.replace(/^cache deny /m, 'send_hit deny ').replace(/^cache_miss_revalidate .*$/m, ''),
      );
      const { sha256 } = origin.offer('/a.rpm', 1000);
      await get('/a.rpm');
      expect(await get('/a.rpm')).toMatchObject({ headers: HIT });
      await get('/a.rpm', conditions(`"${sha256}"`));
      expect(await get('/a.rpm')).toMatchObject({ headers: MISS });
    });

  it('request_header_access If-None-Match deny poisons by ordinary requests if a new version has the date of the old one', async () => {
    const deny = 'request_header_access If-None-Match deny all';
    const { origin, get, over } = await open({ cacheTimeout: 1 }, (shipped) =>
      shipped.replace(/^cache deny .*$/m, deny),
    );
    const version = (name: string) => ({ ETag: `"${name}"`, 'Last-Modified': DATE });
    const { sha256 } = origin.offer('/a.rpm', 1000, { checksum: false, fields: version('old') });
    await get('/a.rpm');
    await over('/a.rpm');
    origin.feed.put('/a.rpm', { bytes: someBytes(1000), framing: 'length', fields: version('new') });
    expect(await get('/a.rpm')).toMatchObject({ sha256, headers: { etag: '"new"' } });
  });
});
