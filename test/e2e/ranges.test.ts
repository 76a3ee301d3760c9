import { mkdirSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type RequestListener, request } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { digestOf, someBytes } from '../support/collect.ts';
import { serveContents } from '../support/feeds.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const CONTENT = someBytes(3_000_001);
const DIGEST = digestOf(CONTENT);
const TAG = `"${DIGEST}"`;

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const get = (url: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answer> =>
  new Promise((resolve, reject) => {
    request(url, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const { statusCode: status, headers } = response;
        resolve({ status, headers, body: Buffer.concat(chunks) });
      });
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });

/**
 * One content under several paths: at a feed with ranges, at one without, on disk; with and without
 * a checksum.
 */
const serve = async (workers: number) => {
  const asked: string[] = [];
  const note =
    (listener: RequestListener): RequestListener =>
    (incoming, response) => {
      const { range = '-', 'if-range': condition } = incoming.headers;
      asked.push([incoming.method, range, condition].filter(Boolean).join(' '));
      return listener(incoming, response);
    };
  const able = await startFeed(note(serveContents(new Map([['/a.iso', CONTENT]]))));
  const deaf = await startFeed(
    note((_, response) => response.writeHead(200, { 'Content-Length': CONTENT.length }).end(CONTENT)),
  );
  const home = folder();
  mkdirSync(join(home, 'disk'));
  const file = join(home, 'disk', 'a.iso');
  writeFileSync(file, CONTENT);

  const site = makeSite(start, home, { workers, dispatch: 'none' });
  const importer = (await site.run('importers', 'add')).trim();
  const urls = { able: `${able.url}/a.iso`, deaf: `${deaf.url}/a.iso`, disk: pathToFileURL(file).href };
  const lines = Object.entries(urls).flatMap(([name, url]) =>
    [true, false].map((known) =>
      JSON.stringify({
        path: `/${name}${known ? '' : '-bare'}`,
        importer_id: importer,
        unit_id: `${name}-${known}`,
        unit_type_id: 'iso',
        url,
        revision: 1,
        data: {},
        ...(known && { checksum: DIGEST, checksum_algorithm: 'sha256' }),
      }),
    ),
  );
  const list = join(home, 'catalog.jsonl');
  writeFileSync(list, lines.join('\n'));
  await site.run('catalog', 'load', list);
  const daemon = await site.serve();
  return { url: daemon.url, asked, daemon };
};

describe.each([1, 2])('ranges and conditions over HTTP, with %s worker(s)', (workers) => {
  it('are answered alike from a feed, from one without ranges, and from disk', async () => {
    const { url, asked } = await serve(workers);
    for (const path of ['/able', '/able-bare', '/deaf', '/deaf-bare', '/disk', '/disk-bare']) {
      for (const [range, from, to] of [
        ['bytes=0-0', 0, 1],
        ['bytes=100000-199999', 100_000, 200_000],
        ['bytes=2900000-', 2_900_000, 3_000_001],
        ['bytes=-1000', 2_999_001, 3_000_001],
      ] as const) {
        const answer = await get(url + path, { Range: range });
        expect(answer).toMatchObject({
          status: 206,
          headers: {
            'content-range': `bytes ${from}-${to - 1}/${CONTENT.length}`,
            'content-length': String(to - from),
            'accept-ranges': 'bytes',
          },
        });
        expect(answer.body.equals(CONTENT.subarray(from, to))).toBe(true);
      }
      const beyond = await get(url + path, { Range: 'bytes=3000001-' });
      expect(beyond).toMatchObject({
        status: 416,
        headers: { 'content-range': `bytes */${CONTENT.length}`, 'cache-control': 'no-store' },
      });
    }
    // A source that sends no parts is asked for one, unless nothing proves what it sends.
    expect(asked.filter((one) => one === 'GET bytes=0-0')).toHaveLength(4);
    expect(asked.filter((one) => one === 'GET bytes=100000-199999')).toHaveLength(3);
    expect(asked.filter((one) => one === 'GET bytes=-1000')).toHaveLength(3);
  });

  it('several ranges come as one body of parts', async () => {
    const { url } = await serve(workers);
    for (const path of ['/able', '/disk-bare']) {
      const { status, headers, body } = await get(url + path, { Range: 'bytes=10-19,2000000-2000999,-5' });
      expect(status).toBe(206);
      expect(headers['content-length']).toBe(String(body.length));
      const [, boundary] = /^multipart\/byteranges; boundary=(\S+)$/.exec(headers['content-type'] ?? '') ?? [];
      const parts = body.toString('latin1').split(`--${boundary}`);
      expect(parts).toHaveLength(5);
      expect(parts.at(-1)).toBe('--\r\n');
      const contents = parts.slice(1, -1).map((part) => part.split('\r\n\r\n'));
      expect(contents.map(([title]) => /Content-Range: (.*)/.exec(title ?? '')?.[1])).toEqual([
        'bytes 10-19/3000001',
        'bytes 2000000-2000999/3000001',
        'bytes 2999996-3000000/3000001',
      ]);
      const joined = contents.map(([, ...rest]) => rest.join('\r\n\r\n').slice(0, -2)).join('');
      const expected = [CONTENT.subarray(10, 20), CONTENT.subarray(2_000_000, 2_001_000), CONTENT.subarray(-5)];
      expect(Buffer.from(joined, 'latin1').equals(Buffer.concat(expected))).toBe(true);
    }
  });

  it('conditions are answered without the feed if the catalog’s checksum is enough, otherwise by the source’s fields', async () => {
    const { url, asked } = await serve(workers);
    const unchanged = await get(`${url}/able`, { 'If-None-Match': TAG });
    expect(unchanged).toMatchObject({ status: 304, headers: { etag: TAG } });
    expect(unchanged.headers).not.toHaveProperty('content-length');
    await expect(get(`${url}/able`, { 'If-None-Match': `W/${TAG}` }, 'HEAD')).resolves.toMatchObject({ status: 304 });
    await expect(get(`${url}/able`, { 'If-Match': '"x"' })).resolves.toMatchObject({ status: 412 });
    expect(asked).toEqual([]);

    const { headers } = await get(`${url}/disk-bare`, {}, 'HEAD');
    const { etag = '', 'last-modified': modified = '' } = headers;
    const conditions: [Record<string, string>, number][] = [
      [{ 'If-None-Match': etag }, 304],
      [{ 'If-Modified-Since': modified }, 304],
      [{ 'If-Modified-Since': 'Thu, 01 Jan 1998 00:00:00 GMT' }, 200],
      [{ 'If-Unmodified-Since': 'Thu, 01 Jan 1998 00:00:00 GMT' }, 412],
      [{ 'If-Range': etag, Range: 'bytes=5-9' }, 206],
      [{ 'If-Range': modified, Range: 'bytes=5-9' }, 206],
      [{ 'If-Range': '"x"', Range: 'bytes=5-9' }, 200],
    ];
    for (const [condition, status] of conditions)
      await expect(get(`${url}/disk-bare`, condition)).resolves.toMatchObject({ status });
    await expect(get(`${url}/able`, { 'If-Range': TAG, Range: 'bytes=5-9' })).resolves.toMatchObject({ status: 206 });
    const old = await get(`${url}/able`, { 'If-Range': '"x"', Range: 'bytes=5-9' });
    expect(old).toMatchObject({ status: 200 });
    expect(digestOf(old.body)).toBe(DIGEST);
  });

  it('HEAD requests only the head, and contains the digest', async () => {
    const { url, asked } = await serve(workers);
    const { status, headers, body } = await get(`${url}/able`, { Range: 'bytes=1-2' }, 'HEAD');
    expect({ status, body: body.length, asked }).toEqual({ status: 200, body: 0, asked: ['HEAD -'] });
    expect(headers).toMatchObject({
      'content-length': String(CONTENT.length),
      etag: TAG,
      'repr-digest': `sha-256=:${Buffer.from(DIGEST, 'hex').toString('base64')}:`,
    });
  });
});
