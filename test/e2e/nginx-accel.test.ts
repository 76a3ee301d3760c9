import { chmodSync, chownSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { askWhole } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { filesBelow, temporaryFolders } from '../support/folder.ts';
import { startNginx } from '../support/nginx.ts';
import { openOrigins } from '../support/origin.ts';
import { processes, succeeded } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { rot } from '../support/rot.ts';

const start = processes();
const folder = temporaryFolders();
const it = itNeeding(['nginx']);
const openOrigin = openOrigins();

const SETTINGS: SettingOptions = { dispatch: 'save', shareCopies: true, sendfileProxies: '127.0.0.1' };

/** A folder for copies that belongs to the group of nginx's workers, which root starts as `nobody`. */
const sharedFolder = async (): Promise<string> => {
  const home = folder();
  chmodSync(home, 0o755);
  const saveDir = join(home, 'copies');
  mkdirSync(saveDir);
  if (process.getuid?.() === 0) {
    const gid = Number((await succeeded(start('id', ['-g', 'nobody']))).stdout.toString());
    chownSync(saveDir, 0, gid);
  }
  chmodSync(saveDir, 0o2700);
  return saveDir;
};

const open = async (settings: SettingOptions = {}) => {
  const saveDir = await sharedFolder();
  const mirror = folder();
  chmodSync(mirror, 0o755);
  const origin = await openOrigin({ ...SETTINGS, saveDir, ...settings });
  const nginx = await startNginx(start, folder(), 'accel', {
    8751: new URL(origin.url).port,
    '/var/lib/pulp-copies': saveDir,
    '/srv/mirror': mirror,
  });
  const copy = () =>
    join(
      saveDir,
      filesBelow(saveDir).find((file) => /^[0-9a-f]{2}\/[^/]*$/.test(file) && !file.endsWith('.json')) ?? '',
    );
  const get = (path: string, fields = {}) => askWhole(nginx.url + path, fields);
  /** The line of the last of so many requests. */
  const logged = async (path: string, count: number) => (await origin.logged(path, count)).at(-1);
  return { origin, nginx, saveDir, mirror, copy, get, logged };
};

const DATE = 'Thu, 01 Jan 2015 00:00:00 GMT';
const FIELDS = { fields: { 'Last-Modified': DATE, 'Content-Type': 'application/x-feeds-own' } };
const HANDED = { source: 'saved', outcome: 'complete', status: 200, bytes: 0, handedOver: true };
/** What does not belong to the content. */
const VARYING = ['date', 'x-request-id', 'cache-status', 'connection', 'transfer-encoding', 'keep-alive'];

const describing = (headers: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !VARYING.includes(name)));

describe('nginx that sends files itself, as shipped in examples/nginx/accel.conf', () => {
  it('sends a copy with the header fields of its first transfer', async () => {
    const { origin, get, logged } = await open();
    const { sha256 } = origin.offer('/a.rpm', undefined, FIELDS);
    const first = await get('/a.rpm');
    expect(first).toMatchObject({ status: 200, sha256 });
    await origin.copied('/a.rpm');
    const before = origin.served('/a.rpm');
    const hit = await get('/a.rpm');
    expect(hit).toMatchObject({ status: 200, sha256 });
    expect(describing(hit.headers)).toEqual(describing(first.headers));
    expect(hit.headers).toMatchObject({ 'last-modified': DATE, 'cache-status': 'pulp-streamer;hit' });
    const line = await logged('/a.rpm', before + 1);
    expect(line).toMatchObject(HANDED);
    expect(line).not.toHaveProperty('verified');
  });

  it('continues with If-Range across a first transfer and a hit, and starts over for another tag or date', async () => {
    const { origin, get, logged } = await open();
    const { body, sha256 } = origin.offer('/a.rpm', undefined, FIELDS);
    const { headers } = await get('/a.rpm');
    await origin.copied('/a.rpm');
    for (const validator of [headers.etag, headers['last-modified']]) {
      const before = origin.served('/a.rpm');
      const rest = await get('/a.rpm', { Range: 'bytes=3000000-', 'If-Range': validator });
      expect(rest).toMatchObject({ status: 206, headers: { etag: headers.etag, 'last-modified': DATE } });
      expect(rest.headers['content-range']).toBe(`bytes 3000000-${body.length - 1}/${body.length}`);
      expect(rest.body.equals(body.subarray(3_000_000))).toBe(true);
      expect(await logged('/a.rpm', before + 1)).toMatchObject(HANDED);
    }
    for (const validator of ['"another"', 'Fri, 02 Jan 2015 00:00:00 GMT'])
      expect(await get('/a.rpm', { Range: 'bytes=3000000-', 'If-Range': validator })).toMatchObject({
        status: 200,
        sha256,
      });
  });

  it('sends ranges, one or several, and refuses those beyond the end', async () => {
    const { origin, get } = await open();
    const { body } = origin.offer('/a.rpm', undefined, FIELDS);
    await origin.copied('/a.rpm');
    const last = await get('/a.rpm', { Range: 'bytes=-10' });
    expect(last).toMatchObject({ status: 206, headers: { 'last-modified': DATE } });
    expect(last.body.equals(body.subarray(-10))).toBe(true);
    const several = await get('/a.rpm', { Range: 'bytes=0-9,20-29' });
    expect(several.status).toBe(206);
    expect(several.headers['content-type']).toContain('multipart/byteranges');
    expect(several.body.includes(body.subarray(20, 30))).toBe(true);
    expect((await get('/a.rpm', { Range: `bytes=${body.length}-` })).status).toBe(416);
  });

  it('leaves HEAD and conditions to the streamer', async () => {
    const { origin, nginx, get } = await open();
    const { body, sha256 } = origin.offer('/a.rpm', undefined, FIELDS);
    await origin.copied('/a.rpm');
    const { headers } = await get('/a.rpm');
    const { stdout } = await succeeded(start('curl', ['-sI', `${nginx.url}/a.rpm`]));
    const head = stdout.toString().toLowerCase();
    for (const line of [`etag: ${headers.etag}`, `last-modified: ${DATE}`, `content-length: ${body.length}`])
      expect(head).toContain(line.toLowerCase());
    expect(await get('/a.rpm', { 'If-None-Match': headers.etag })).toMatchObject({ status: 304 });
    expect(await get('/a.rpm', { 'If-Modified-Since': DATE })).toMatchObject({ status: 304 });
    expect(await get('/a.rpm', { 'If-Match': headers.etag })).toMatchObject({ status: 200, sha256 });
    expect(await get('/a.rpm', { 'If-Unmodified-Since': DATE })).toMatchObject({ status: 200, sha256 });
    expect(await get('/a.rpm', { 'If-Match': '"another"' })).toMatchObject({ status: 412 });
  });

  it('sends files of an alternate source, and streams what it has not', async () => {
    const descriptors = folder();
    const { origin, mirror, get, logged } = await open({ contentSourcesDir: descriptors, dispatch: 'none' });
    const bytes = someBytes(1_000_000);
    writeFileSync(join(mirror, 'b c.rpm'), bytes);
    // Listed by its file name, as a feed on disk.
    origin.list('/b%20c.rpm', `file://${mirror}/b%20c.rpm`, digestOf(bytes));
    expect(await get('/b%20c.rpm')).toMatchObject({ status: 200, sha256: digestOf(bytes) });
    expect(await logged('/b%20c.rpm', 1)).toMatchObject({ handedOver: true, bytes: 0 });
    const { sha256 } = origin.offer('/a.rpm');
    expect(await get('/a.rpm')).toMatchObject({ status: 200, sha256 });
    expect(await logged('/a.rpm', 1)).toMatchObject({ verified: 'sha256' });
  });

  it('has the streamer send a copy that nginx may not read, or that is gone', async () => {
    const { origin, copy, get, logged } = await open();
    const { sha256 } = origin.offer('/a.rpm');
    await origin.copied('/a.rpm');
    const file = copy();
    expect(statSync(file).mode & 0o777).toBe(0o640);
    if (process.getuid?.() === 0) {
      chmodSync(file, 0o600);
      const before = origin.served('/a.rpm');
      expect(await get('/a.rpm')).toMatchObject({ status: 200, sha256 });
      expect(await logged('/a.rpm', before + 2)).toMatchObject({ verified: 'sha256', source: 'saved' });
    }
    renameSync(file, `${file}.gone`);
    expect(await get('/a.rpm')).toMatchObject({ status: 200, sha256 });
  });

  it('proves nothing: a wrong copy is sent as it is', async () => {
    const { origin, copy, get } = await open();
    const { body } = origin.offer('/a.rpm');
    await origin.copied('/a.rpm');
    rot(copy(), 100);
    const { status, body: sent } = await get('/a.rpm');
    expect({ status, equal: sent.equals(body) }).toEqual({ status: 200, equal: false });
  });

  it('asks for it alone: its clients cannot, and no peer that is not listed', async () => {
    const { origin, saveDir, get } = await open();
    const { sha256 } = origin.offer('/a.rpm');
    await origin.copied('/a.rpm');
    const asking = { 'X-Sendfile-Type': 'X-Accel-Redirect', 'X-Accel-Mapping': `${saveDir}=/elsewhere` };
    expect(await get('/a.rpm', asking)).toMatchObject({ status: 200, sha256 });
    const direct = (fields: Readonly<Record<string, string>>) =>
      askWhole(`${origin.url}/a.rpm`, { ...asking, ...fields });
    expect((await direct({ Via: '1.1 nginx' })).headers).toHaveProperty('x-accel-redirect');
    // A cache between, and no sign of the proxy.
    for (const via of ['1.1 nginx, 1.1 varnish (Varnish/7.1)', '1.1 cache'])
      expect(await direct({ Via: via })).toMatchObject({ sha256 });
    expect(await direct({})).toMatchObject({ sha256 });
    const other = await open({ sendfileProxies: '192.0.2.1' });
    const { sha256: there } = other.origin.offer('/b.rpm');
    await other.origin.copied('/b.rpm');
    expect(await other.get('/b.rpm')).toMatchObject({ status: 200, sha256: there });
    expect((await other.origin.logged('/b.rpm', 2)).some((line) => line.handedOver)).toBe(false);
  });

  it('is not asked for by clients of the other configurations, even from a listed proxy', async () => {
    const origin = await openOrigin({ ...SETTINGS, saveDir: await sharedFolder() });
    const nginx = await startNginx(start, folder(), 'whole', { 8751: new URL(origin.url).port });
    const { sha256 } = origin.offer('/a.rpm');
    await origin.copied('/a.rpm');
    const before = origin.served('/a.rpm');
    const asking = { 'X-Sendfile-Type': 'X-Accel-Redirect', 'X-Accel-Mapping': '/=/' };
    expect(await askWhole(`${nginx.url}/a.rpm`, asking)).toMatchObject({ status: 200, sha256 });
    expect((await origin.logged('/a.rpm', before + 1)).at(-1)).toMatchObject({ source: 'saved', verified: 'sha256' });
  });
});
