import type { Socket } from 'node:net';
import { afterEach, describe, expect } from '@jest/globals';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { askWhole } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { startRaw, type TestFeed } from '../support/feeds.ts';
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
const feeds: TestFeed[] = [];
afterEach(() => Promise.all(feeds.splice(0).map((feed) => feed.close())));

const open = async (settings: SettingOptions = {}) => {
  const origin = await openOrigin(settings);
  const { url } = await startVarnish(start, folder(), origin.url);
  return { origin, get: (path: string, headers = {}) => askWhole(url + path, headers) };
};

const MISS = { 'x-cache': 'MISS' };
const HIT = { 'x-cache': 'HIT' };
const NEWER = new Date('2021-01-01').toUTCString();
const OLDER = new Date('2020-01-01').toUTCString();

describe('Varnish, as shipped in examples/varnish', () => {
  it('answers an invalid range with the whole file', async () => {
    const { origin, get } = await open();
    const { sha256 } = origin.offer('/a.rpm', 1000);
    // On a hit, at a revalidation and when passed on.
    for (const range of ['x-', '', '5-2', '-0', `0-${'9'.repeat(30)}`])
      for (const more of [{}, { 'Cache-Control': 'no-cache' }, { 'If-Match': '*' }])
        expect(await get('/a.rpm', { Range: `bytes=${range}`, ...more })).toMatchObject({ status: 200, sha256 });
  });

  it('answers one range with that part', async () => {
    const { origin, get } = await open();
    const { body } = origin.offer('/a.rpm', 1000);
    const parts = { '10-19': [10, 20], '990-': [990, 1000], '-10': [990, 1000], '7-7': [7, 8], '0-5000': [0, 1000] };
    for (const [range, [from, to]] of Object.entries(parts))
      for (const more of [{}, { 'If-Match': '*' }])
        expect(await get('/a.rpm', { Range: `bytes=${range}`, ...more })).toMatchObject({
          status: 206,
          body: body.subarray(from, to),
        });
  });

  it('leaves preconditions to the streamer, and serves kept files to all others', async () => {
    const { origin, get } = await open();
    const { body, sha256 } = origin.offer('/a.rpm', 1000, { fields: { 'Last-Modified': NEWER } });
    await get('/a.rpm');
    const part = { Range: 'bytes=100-199' };
    for (const [status, headers] of [
      [412, { 'If-Match': '"another"' }],
      [412, { ...part, 'If-Match': '"another"' }],
      [412, { ...part, 'If-Unmodified-Since': OLDER }],
      [206, { ...part, 'If-Match': `"${sha256}"` }],
    ] as const) {
      expect(await get('/a.rpm', headers)).toMatchObject({ status });
      expect(await get('/a.rpm', part)).toMatchObject({ status: 206, headers: HIT, body: body.subarray(100, 200) });
    }
  });

  it('accepts only the exact date of a kept file as the same', async () => {
    const { origin, get } = await open();
    const { sha256 } = origin.offer('/a.rpm', 1000, { fields: { 'Last-Modified': OLDER } });
    await get('/a.rpm');
    expect(await get('/a.rpm', { 'If-Modified-Since': OLDER })).toMatchObject({ status: 304 });
    expect(await get('/a.rpm', { 'If-Modified-Since': NEWER })).toMatchObject({ status: 200, headers: HIT, sha256 });
    expect(await get('/a.rpm', { 'If-None-Match': `"${sha256}"`, 'If-Modified-Since': NEWER })).toMatchObject({
      status: 304,
    });
    expect(await get('/a.rpm', { 'If-None-Match': '"a"', 'If-Modified-Since': OLDER })).toMatchObject({ status: 200 });
  });

  it('serves no expired file, not even while the streamer is down', async () => {
    const { origin, get } = await open({ cacheTimeout: 1 });
    origin.offer('/a.rpm', 1000);
    await get('/a.rpm');
    await origin.stop();
    await until(async () => {
      const { status, headers } = await get('/a.rpm');
      if (status === 200) expect(Number(headers.age)).toBeLessThanOrEqual(1);
      return status === 503;
    });
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

  it('requests metadata again if a client wants the newest, and keeps it for all', async () => {
    const { origin, get } = await open();
    const path = '/repodata/repomd.xml';
    const asks = [{ 'Cache-Control': 'no-cache' }, { 'Cache-Control': 'max-age=0' }, { Pragma: 'no-cache' }];
    let before = origin.offer(path, 1000).sha256;
    await get(path);
    for (const headers of asks) {
      const { sha256 } = origin.offer(path, 1000);
      expect(await get(path)).toMatchObject({ headers: HIT, sha256: before });
      expect(await get(path, headers)).toMatchObject({ headers: MISS, sha256 });
      expect(await get(path)).toMatchObject({ headers: HIT, sha256 });
      before = sha256;
    }
    for (const other of ['/bear-4.1-1.noarch.rpm', '/Packages/Release-1.rpm', '/not-repomd.xml']) {
      origin.offer(other, 1000);
      await get(other);
      expect(await get(other, asks[0])).toMatchObject({ headers: HIT });
    }
    await origin.stop();
    expect(await get(path, asks[0])).toMatchObject({ status: 503 });
  });

  it('sends exactly the stated bytes of content of unknown length', async () => {
    const { origin, get } = await open();
    for (const size of [2000, 4 << 20]) {
      const path = `/${size}.iso`;
      const { body } = origin.offer(path, size, 'unmeasured');
      for (const headers of [{ Range: 'bytes=36-1731' }, {}, { Range: 'bytes=36-1731' }, { Range: 'bytes=-500' }]) {
        const answer = await get(path, headers);
        const [, first = 0, last = size] = /^bytes (\d+)-(\d+)\//.exec(answer.headers['content-range'] ?? '') ?? [];
        expect(answer.body.equals(body.subarray(Number(first), Number(last) + 1))).toBe(true);
      }
    }
  });

  it('asks the streamer again after it could not be reached, though several clients waited', async () => {
    const asked: Socket[] = [];
    let isBack = false;
    const feed = await startRaw((socket) => {
      socket.on('data', () => {
        if (isBack) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nback');
        else asked.push(socket);
      });
    });
    feeds.push(feed);
    const { url } = await startVarnish(start, folder(), feed.url);
    const clients = Array.from({ length: 5 }, () => askWhole(`${url}/a.rpm`));
    // Varnish asks once for all of them, and once more after a connection that broke off.
    let over = false;
    const statuses = Promise.all(clients).then((answers) => {
      over = true;
      return answers.map(({ status }) => status);
    });
    await until(() => {
      for (const socket of asked.splice(0)) socket.destroy();
      return over;
    });
    expect(await statuses).toEqual([503, 503, 503, 503, 503]);
    isBack = true;
    expect((await askWhole(`${url}/a.rpm`)).body.toString()).toBe('back');
  });

  it('does not deliver content that changed in between as the requested one', async () => {
    const { origin, get } = await open({ cacheTimeout: 1 });
    origin.offer('/a.rpm', 1000, { checksum: false });
    await get('/a.rpm');
    const bytes = someBytes(1000);
    origin.feed.put('/a.rpm', { bytes, framing: 'length', fields: { 'Last-Modified': OLDER } });
    await until(async () => (await get('/a.rpm')).sha256 === digestOf(bytes));
  });
});
