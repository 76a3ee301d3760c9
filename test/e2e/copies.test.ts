import { readFileSync, statSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { askWhole, type Whole } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes, succeeded } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { makeSite, type Site } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();
const itWithWget = itNeeding(['wget']);

const CONTENT = someBytes(100_000);
/** Long ago, so that it differs from any time of saving. */
const DATE = 'Thu, 01 Jan 2015 00:00:00 GMT';
const FEED = {
  'Content-Type': 'application/x-feeds-own',
  'Content-Encoding': 'br',
  'Content-Language': 'de',
  'Content-Disposition': 'attachment; filename="bear"',
  'Last-Modified': DATE,
  ETag: '"feeds-own"',
};

/**
 * The same content with and without a catalog checksum, at a feed that sends it completely with
 * these header fields.
 */
const open = async (fields: Readonly<Record<string, string>> = FEED, workers = 1) => {
  const asked: string[] = [];
  const listener: RequestListener = ({ method, url }, response) => {
    asked.push(`${method} ${url}`);
    response.writeHead(200, { 'Content-Length': CONTENT.length, ...fields }).end(CONTENT);
  };
  const feed = await startFeed(listener);
  const site = makeSite(start, folder(), { workers });
  const checksum = `sha256:${digestOf(CONTENT)}`;
  await site.run('catalog', 'add', '/known.rpm', `${feed.url}/known`, '--checksum', checksum);
  await site.run('catalog', 'add', '/bare.rpm', `${feed.url}/bare`);
  return { site, asked };
};

/** A daemon that has just saved a copy of each path, and the responses of those transfers. */
const serveSaved = async (site: Site) => {
  const daemon = await site.serve();
  const ask = (path: string, headers: Readonly<Record<string, string>> = {}) => askWhole(daemon.url + path, headers);
  const known = await ask('/known.rpm');
  const bare = await ask('/bare.rpm');
  await daemon.logged('saved', {}, 2);
  return { daemon, ask, first: { '/known.rpm': known, '/bare.rpm': bare } };
};

const ABOUT = [
  ...['content-type', 'content-encoding', 'content-language', 'content-disposition'],
  ...['last-modified', 'etag', 'content-length'],
];
const about = ({ headers }: Whole) => Object.fromEntries(ABOUT.map((name) => [name, headers[name]]));

describe('a saved copy', () => {
  it.each([1, 2])('looks like its first transfer, even after a restart, with %s worker(s)', async (workers) => {
    const { site, asked } = await open(FEED, workers);
    const { daemon, ask, first } = await serveSaved(site);
    const before = [await ask('/known.rpm'), await ask('/bare.rpm')];
    await daemon.stop();
    const again = await site.serve();
    const after = [await askWhole(`${again.url}/known.rpm`), await askWhole(`${again.url}/bare.rpm`)];
    expect(asked).toEqual(['GET /known', 'GET /bare']);

    const firsts = [first['/known.rpm'], first['/bare.rpm']];
    expect(before.map(about)).toEqual(firsts.map(about));
    expect(after.map(about)).toEqual(firsts.map(about));
    for (const { sha256, headers } of [...before, ...after])
      expect([sha256, headers['cache-status']]).toEqual([digestOf(CONTENT), 'pulp-streamer;hit']);
    const [known, bare] = firsts.map(about);
    expect(known).toMatchObject({
      'last-modified': DATE,
      etag: `"${digestOf(CONTENT)}"`,
      'content-encoding': undefined,
    });
    expect(bare).toMatchObject({ 'last-modified': DATE, etag: '"feeds-own"', 'content-encoding': 'br' });
  });

  it('has only the date and tag that its feed gave', async () => {
    const { site } = await open({});
    const { ask, first } = await serveSaved(site);
    expect(about(first['/bare.rpm'])).toMatchObject({ 'last-modified': undefined, etag: undefined });
    for (const path of ['/known.rpm', '/bare.rpm'] as const) expect(about(await ask(path))).toEqual(about(first[path]));
  });

  it('is continued and revalidated with the tag or the date of its first transfer', async () => {
    const { site, asked } = await open();
    const { ask, first } = await serveSaved(site);
    for (const path of ['/known.rpm', '/bare.rpm'] as const) {
      const { etag = '' } = first[path].headers;
      const Range = 'bytes=99000-';
      for (const validator of [etag, DATE]) {
        const part = await ask(path, { Range, 'If-Range': validator });
        expect([validator, part.status, digestOf(part.body)]).toEqual([
          validator,
          206,
          digestOf(CONTENT.subarray(99_000)),
        ]);
        expect(part.headers['content-range']).toBe('bytes 99000-99999/100000');
      }
      for (const validator of ['"another"', 'Fri, 02 Jan 2015 00:00:00 GMT'])
        expect(await ask(path, { Range, 'If-Range': validator })).toMatchObject({
          status: 200,
          sha256: digestOf(CONTENT),
        });
      expect(await ask(path, { 'If-None-Match': etag })).toMatchObject({ status: 304 });
      expect(await ask(path, { 'If-Modified-Since': DATE })).toMatchObject({ status: 304 });
    }
    expect(asked).toEqual(['GET /known', 'GET /bare']);
  });

  itWithWget('is current for wget -N: the file is sent once', async () => {
    const { site, asked } = await open();
    const daemon = await site.serve();
    const home = folder();
    const wget = () => succeeded(start('wget', ['-N', '-q', '--no-proxy', '-P', home, `${daemon.url}/known.rpm`]));
    await wget();
    await daemon.logged('saved');
    await wget();
    const file = join(home, 'known.rpm');
    expect(digestOf(readFileSync(file))).toBe(digestOf(CONTENT));
    expect(statSync(file).mtimeMs).toBe(Date.parse(DATE));
    const requests = await daemon.logged('request', {}, 2);
    expect(requests.map(({ status, source }) => [status, source])).toEqual([
      [200, expect.stringMatching(/^feed:/)],
      [304, 'saved'],
    ]);
    expect(asked).toEqual(['GET /known']);
  });
});
