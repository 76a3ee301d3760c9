import { describe, expect } from '@jest/globals';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { ask, askWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { startNginx } from '../support/nginx.ts';
import { openOrigins } from '../support/origin.ts';
import { processes } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const folder = temporaryFolders();
const it = itNeeding(['nginx']);
const openOrigin = openOrigins();
const startFeed = closedFeeds();

const open = async (settings: SettingOptions = {}) => {
  const origin = await openOrigin(settings);
  const nginx = await startNginx(start, folder(), 'whole', { 8751: new URL(origin.url).port });
  return { origin, get: (path: string, headers = {}) => askWhole(nginx.url + path, headers) };
};

const MISS = { 'x-cache': 'MISS' };
const HIT = { 'x-cache': 'HIT' };

describe('nginx with whole files, as shipped in examples/nginx', () => {
  it('does not treat an encoded slash as a slash', async () => {
    const { origin, get } = await open();
    const slash = origin.offer('/a/b.rpm', 1000);
    const encoded = origin.offer('/a%2Fb.rpm', 1000);
    for (const headers of [MISS, HIT]) {
      expect(await get('/a/b.rpm')).toMatchObject({ headers, sha256: slash.sha256 });
      expect(await get('/a%2Fb.rpm?x=/a/b.rpm')).toMatchObject({ headers, sha256: encoded.sha256 });
    }
  });

  it('makes no client wait for the failure of another one', async () => {
    const silent = await startFeed(() => {});
    const nginx = await startNginx(start, folder(), 'whole', { 8751: silent.port });
    const asked = Array.from({ length: 8 }, () => ask(`${nginx.url}/a.rpm`));
    await until(() => silent.requests.length === 8);
    await silent.close();
    for (const response of asked) expect(await response).toMatchObject({ statusCode: 502 });
  });

  it('serves neither removed nor expired files while the streamer is down', async () => {
    const { origin, get } = await open({ cacheTimeout: 1 });
    for (const path of ['/removed.rpm', '/over.rpm']) {
      origin.offer(path, 1000);
      expect(await get(path)).toMatchObject({ status: 200 });
    }
    origin.remove('/removed.rpm');
    await until(async () => (await get('/removed.rpm')).status === 404);
    await origin.stop();
    expect(await get('/removed.rpm')).toMatchObject({ status: 502 });
    await until(async () => (await get('/over.rpm')).status === 502);
  });

  it('shows the age of a response by its date', async () => {
    const { origin, get } = await open();
    origin.offer('/a.rpm', 1000);
    const { date } = (await get('/a.rpm')).headers;
    await until(async () => (await get('/other.rpm')).headers.date !== date);
    expect(await get('/a.rpm')).toMatchObject({ headers: { ...HIT, date } });
  });

  for (const path of [
    '/repodata/repomd.xml',
    '/dists/stable/InRelease',
    '/dists/stable/main/Packages.xz',
    '/PULP_MANIFEST',
  ])
    it(`requests ${path} again if a client wants the newest, and keeps it for all`, async () => {
      const { origin, get } = await open();
      const asks = [{ 'Cache-Control': 'no-cache' }, { 'Cache-Control': 'max-age=0' }, { Pragma: 'no-cache' }];
      let before = origin.offer(path, 1000).sha256;
      await get(path);
      for (const headers of asks) {
        const { sha256 } = origin.offer(path, 1000);
        expect(await get(path)).toMatchObject({ headers: HIT, sha256: before });
        expect(await get(path, headers)).toMatchObject({ headers: { 'x-cache': 'BYPASS' }, sha256 });
        // nginx sends the last bytes before it renames the file, and another worker may answer between.
        await until(async () => (await get(path)).sha256 === sha256);
        expect(await get(path)).toMatchObject({ headers: HIT, sha256 });
        before = sha256;
      }
      await origin.stop();
      expect(await get(path, asks[0])).toMatchObject({ status: 502 });
    });

  it('serves other files from its cache even to such a client', async () => {
    const { origin, get } = await open();
    for (const path of ['/bear-4.1-1.noarch.rpm', '/Packages/Release-1.rpm', '/not-repomd.xml']) {
      origin.offer(path, 1000);
      await get(path);
      expect(await get(path, { 'Cache-Control': 'no-cache', Pragma: 'no-cache' })).toMatchObject({ headers: HIT });
    }
  });
});
