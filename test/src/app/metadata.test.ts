import { createHash } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Access } from '../../../pipelines/index.ts';
import { settingsOf } from '../../../src/app/from-settings.ts';
import { openRepositories } from '../../../src/app/metadata.ts';
import { importRepository } from '../../../src/catalog/import.ts';
import { openSqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import type { Expected } from '../../../src/repositories/format.ts';
import { apart } from '../../../src/repositories/reader/apart.ts';
import { serveContents, startFeed, type TestFeed } from '../../support/feeds.ts';
import { serveFolder } from '../../support/site-feeds.ts';

const ZOO = join(import.meta.dirname, '../../../examples/zoo');
const CONTENT = Buffer.from('<repomd/>'.repeat(50_000));
const EXPECTED: Expected = {
  checksum: { algorithm: 'sha256', value: createHash('sha256').update(CONTENT).digest('hex') },
  size: CONTENT.length,
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const serve = async (listener: RequestListener): Promise<TestFeed> => {
  const feed = await startFeed(listener);
  closing.push(feed.close);
  return feed;
};
const open = () => {
  const repositories = openRepositories(settingsOf({ retryWait: '1ms' }));
  closing.push(repositories.close);
  return repositories.files;
};
const read = async (url: string, expected?: Expected, access: Access = {}): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of open()(access)(url, expected)) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const mirrored = (...urls: readonly string[]): Access => ({
  mirrors: [{ home: urls[0] ?? '', bases: urls.map((url) => `${url}/`) }],
});

/** Answers the first request for each path with something else. */
const atFirst = (first: RequestListener, then: RequestListener): RequestListener => {
  const seen = new Set<string>();
  return (request, response) => {
    const { url = '' } = request;
    const isNew = !seen.has(url);
    seen.add(url);
    (isNew ? first : then)(request, response);
  };
};
const content = serveContents(new Map([['/repomd.xml', CONTENT]]));
const status =
  (code: number, headers = {}): RequestListener =>
  (_, response) =>
    response.writeHead(code, headers).end('an error page');
const torn: RequestListener = (_, response) => {
  response.writeHead(200, { ETag: '"450000-60"', 'Content-Length': CONTENT.length });
  response.write(CONTENT.subarray(0, 200_000), () => response.destroy());
};

describe('the metadata of a repository', () => {
  it.each([
    ['502', status(502)],
    ['503 with Retry-After', status(503, { 'Retry-After': '0' })],
    ['a body that breaks off', torn],
  ])('is read in spite of one %s', async (_, first) => {
    const { url } = await serve(atFirst(first, content));
    expect(await read(`${url}/repomd.xml`)).toEqual(CONTENT);
  });

  it('continues at another mirror if its checksum is known', async () => {
    const breaking = await serve(torn);
    const other = await serve(content);
    expect(await read(`${breaking.url}/repomd.xml`, EXPECTED, mirrored(breaking.url, other.url))).toEqual(CONTENT);
  });

  it('is taken from another mirror if the first one has other bytes', async () => {
    const wrong = await serve((_, response) => response.end(Buffer.alloc(CONTENT.length)));
    const right = await serve(content);
    expect(await read(`${wrong.url}/repomd.xml`, EXPECTED, mirrored(wrong.url, right.url))).toEqual(CONTENT);
    await expect(read(`${wrong.url}/repomd.xml`, EXPECTED)).rejects.toMatchObject({ code: 'WRONG_CHECKSUM' });
  });

  it('is decoded if the feed compresses it unasked', async () => {
    const coded = gzipSync(CONTENT);
    const { url } = await serve((_, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(coded));
    expect(await read(`${url}/repomd.xml`)).toEqual(CONTENT);
    expect(await read(`${url}/repomd.xml`, EXPECTED)).toEqual(CONTENT);
    expect(await read(`${url}/primary.xml.gz`)).toEqual(coded);
  });

  it('is requested with the credentials of its importer', async () => {
    const { url, requests } = await serve(content);
    await read(`${url}/repomd.xml`, undefined, { basicAuth: { username: 'bear', password: 'honey' } });
    expect(requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('bear:honey').toString('base64')}`);
  });

  it('is requested with the token and the header fields of its importer, at its own origin alone', async () => {
    const other = await serve(content);
    const { url, requests } = await serve((request, response) => {
      if (request.url?.startsWith('/moved')) response.writeHead(302, { Location: `${other.url}/repomd.xml` }).end();
      else content(Object.assign(request, { url: request.url?.replace(/\?.*/, '') }), response);
    });
    const access: Access = { query: 'token=a%2Fb', headers: [['X-Key', 'secret']] };
    expect(await read(`${url}/repomd.xml`, undefined, access)).toEqual(CONTENT);
    expect(await read(`${url}/moved?x=1`, undefined, access)).toEqual(CONTENT);
    expect(requests.map(({ headers }) => headers['x-key'])).toEqual(['secret', 'secret']);
    expect(requests[1]?.url).toBe('/moved?x=1&token=a%2Fb');
    expect(other.requests.map(({ url, headers }) => [url, headers['x-key']])).toEqual([['/repomd.xml', undefined]]);
  });

  it('is requested without credentials from mirrors at other origins', async () => {
    const [one, two] = [await serve(status(503)), await serve(content)];
    const access: Access = { ...mirrored(one.url, two.url), query: 'token=1', headers: [['X-Key', 'secret']] };
    await read(`${one.url}/repomd.xml`, undefined, access);
    expect(one.requests[0]).toMatchObject({ url: '/repomd.xml?token=1', headers: { 'x-key': 'secret' } });
    expect(two.requests[0]?.url).toBe('/repomd.xml');
    expect(two.requests[0]?.headers).not.toHaveProperty('x-key');
  });

  it('that is an HTML page is missing, and taken from another mirror', async () => {
    const page = await serve((_, response) => response.end('<!DOCTYPE html>\n<html><body>Log in</body></html>'));
    const right = await serve(content);
    await expect(read(`${page.url}/repomd.xml`)).rejects.toMatchObject({
      code: 'SOURCE_MISSING',
      message: `${page.url}/repomd.xml is an HTML page, not metadata`,
    });
    expect(await read(`${page.url}/repomd.xml`, undefined, mirrored(page.url, right.url))).toEqual(CONTENT);
  });

  it('that does not exist is missing, at each mirror', async () => {
    const { url } = await serve(content);
    await expect(read(`${url}/a`, undefined, mirrored(url, `${url}/b`))).rejects.toMatchObject({
      code: 'SOURCE_MISSING',
    });
  });

  it('is missing if one mirror lacks it and the others are down, unless its checksum promises it', async () => {
    const [down, up] = [await serve(status(502)), await serve(content)];
    for (const access of [mirrored(down.url, up.url), mirrored(up.url, down.url)]) {
      await expect(read(`${down.url}/repomd.xml.asc`, undefined, access)).rejects.toMatchObject({
        code: 'SOURCE_MISSING',
      });
      await expect(read(`${down.url}/primary.xml`, EXPECTED, access)).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
    }
  });

  it('is imported although the first request for each file fails', async () => {
    const { url } = await serve(atFirst(status(502), serveFolder(ZOO)));
    const catalog = openSqliteCatalog(':memory:');
    const result = await importRepository({
      catalog,
      format: apart('yum'),
      base: `${url}/`,
      prefix: '/zoo',
      read: open()({}),
      importer: catalog.importers.ensure({}).id,
    });
    expect(result).toMatchObject({ packages: 5, missing: [] });
  });
});
