import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { askWhole } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { temporaryFolders } from '../support/folder.ts';
import { startNginx } from '../support/nginx.ts';
import { openOrigins } from '../support/origin.ts';
import { processes } from '../support/processes.ts';
import { dial } from '../support/raw-http.ts';
import { itNeeding } from '../support/repositories.ts';
import { until } from '../support/until.ts';

const start = processes();
const folder = temporaryFolders();
const it = itNeeding(['nginx']);
const itWithCurl = itNeeding(['nginx', 'curl']);
const openOrigin = openOrigins();

const SLICE = 4 << 20;
const inSlice = (number: number) => ({ Range: `bytes=${number * SLICE + 10}-${number * SLICE + 19}` });

const open = async (settings: SettingOptions = {}) => {
  const origin = await openOrigin({ dispatch: 'save', ...settings });
  const { url } = await startNginx(start, folder(), 'slices', { 8751: new URL(origin.url).port });
  return { origin, url, get: (path: string, headers = {}) => askWhole(url + path, headers) };
};

/** Properties of content whose parts the streamer requests from the feed. */
const TAGGED = { checksum: false, ranges: true, fields: { ETag: '"a"' } } as const;

describe('nginx with slices, as shipped in examples/nginx', () => {
  /** The first and third slices are kept, and the second one breaks off. */
  const broken = async () => {
    const { origin, url, get } = await open();
    const { body, sha256 } = origin.offer('/a.iso', 3 * SLICE, TAGGED);
    for (const number of [0, 2]) expect(await get('/a.iso', inSlice(number))).toMatchObject({ status: 206 });
    origin.feed.cut();
    return { origin, url, body, sha256 };
  };

  itWithCurl('leaves no hole in a file that curl resumes after a slice broke off', async () => {
    const { origin, url, sha256 } = await broken();
    const file = join(folder(), 'a.iso');
    const curl = () => start('curl', ['-sS', '--noproxy', '*', '-C', '-', '-o', file, `${url}/a.iso`]).ended;
    expect((await curl()).status).not.toBe(0);
    origin.feed.release();
    expect((await curl()).status).toBe(0);
    expect(digestOf(readFileSync(file))).toBe(sha256);
  });

  it('sends nothing after a broken slice, even on a persistent connection', async () => {
    const { url, body } = await broken();
    const client = dial(Number(new URL(url).port));
    await client.send('GET /a.iso HTTP/1.1\r\nHost: mirror\r\n\r\n', 'GET /a.iso HTTP/1.1\r\nHost: mirror\r\n\r\n');
    await client.ended;
    const received = Buffer.from(client.received(), 'latin1');
    const sent = received.subarray(received.indexOf('\r\n\r\n') + 4);
    expect(sent.equals(body.subarray(0, sent.length))).toBe(true);
  });

  it('does not slice content without a proof of sameness', async () => {
    const { origin, get } = await open();
    const { sha256 } = origin.offer('/a.iso', 2 * SLICE, { checksum: false, ranges: true });
    expect(await get('/a.iso', inSlice(1))).toMatchObject({ status: 200, sha256 });
    const bytes = someBytes(2 * SLICE);
    origin.feed.put('/a.iso', { bytes, framing: 'length', ranges: true });
    expect(await get('/a.iso')).toMatchObject({ status: 200, sha256: digestOf(bytes) });
  });

  it('keeps slices for at most a minute, for any cache_timeout', async () => {
    const { origin, get } = await open();
    origin.offer('/a.iso', 2 * SLICE);
    await origin.copied('/a.iso');
    origin.offer('/b.iso', 2 * SLICE, TAGGED);
    for (const path of ['/a.iso', '/b.iso'])
      expect(await get(path, inSlice(1))).toMatchObject({
        status: 206,
        headers: { 'cache-control': 'public, s-maxage=60, max-age=60' },
      });
  });

  it('never puts wrong content of a feed into a file: unproven content is not sliced', async () => {
    const { origin, get } = await open();
    const { body, sha256 } = origin.offer('/a.iso', 2 * SLICE, { ranges: true });
    origin.feed.put('/a.iso', { bytes: someBytes(2 * SLICE), framing: 'length', ranges: true });
    await expect(get('/a.iso', inSlice(1))).rejects.toThrow('aborted');
    origin.feed.put('/a.iso', { bytes: body, framing: 'length', ranges: true });
    expect(await get('/a.iso')).toMatchObject({ status: 200, sha256 });
  });

  it('joins no slices of replaced content, and serves the new content once the old slices expire', async () => {
    const { origin, get } = await open({ cacheTimeout: 1 });
    const replaced = origin.offer('/a.iso', 2 * SLICE);
    await origin.copied('/a.iso');
    expect(await get('/a.iso', inSlice(0))).toMatchObject({ status: 206 });
    const { sha256 } = origin.offer('/a.iso', 2 * SLICE);
    await origin.copied('/a.iso');
    await until(() =>
      get('/a.iso').then(
        (whole) => {
          expect([sha256, replaced.sha256]).toContain(whole.sha256);
          return whole.sha256 === sha256;
        },
        () => false,
      ),
    );
  });

  it('serves empty files', async () => {
    const { origin, get } = await open();
    origin.offer('/empty', 0);
    origin.offer('/untold', 0, 'unmeasured');
    for (const path of ['/empty', '/untold'])
      for (const headers of [{}, { Range: 'bytes=0-' }])
        expect(await get(path, headers)).toMatchObject({ status: 200, body: Buffer.of() });
  });

  it('requests every slice by the path as the client wrote it', async () => {
    const { origin, get } = await open();
    const slash = origin.offer('/a/b.iso', 2 * SLICE);
    const encoded = origin.offer('/a%2Fb.iso', 2 * SLICE);
    expect(await get('/a%2Fb.iso')).toMatchObject({ status: 200, sha256: encoded.sha256 });
    expect(await get('/a/b.iso')).toMatchObject({ status: 200, sha256: slash.sha256 });
  });
});
