import { randomBytes } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startFeed, type TestFeed } from '../support/feeds.ts';
import { sha256 } from '../support/pipeline.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { until } from '../support/until.ts';
import { startWireSite, valuesOf, type WireSite } from '../support/wire.ts';

const folder = temporaryFolders();
const feeds: TestFeed[] = [];
afterEach(() => Promise.all(feeds.splice(0).map((feed) => feed.close())));
const serve = async (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<TestFeed> => {
  const feed = await startFeed(answer);
  feeds.push(feed);
  return feed;
};

/** A daemon that verifies only little content before its head. */
const startSite = (workers = 1): Promise<WireSite> =>
  startWireSite(folder(), { workers, dispatch: 'none', verifyWholeBelow: 1000, cooldown: 60, retryWait: 0.01 });
let site: WireSite;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.daemon.stop());

const checksum = (bytes: Uint8Array) => ({ checksum: { algorithm: 'sha256' as const, value: sha256(bytes) } });
const refusal = 'pulp-streamer;error=http_protocol_error;details="KNOWN_WRONG"';

describe.each([1, 2])('content known to be wrong, with %s worker(s)', (workers) => {
  let site: WireSite;
  beforeAll(async () => {
    site = await startSite(workers);
  });
  afterAll(() => site.daemon.stop());
  const right = randomBytes(5000);
  const wrong = Buffer.from(right).fill(0, 4000);
  /** The content that a feed has now, with its tag. */
  const feedWith = async (fields: OutgoingHttpHeaders = {}) => {
    const now = { bytes: wrong, fields };
    const feed = await serve((request, response) => {
      response.writeHead(200, { 'Content-Length': now.bytes.length, ...now.fields });
      response.end(request.method === 'HEAD' ? undefined : now.bytes);
    });
    return { now, url: `${feed.url}/x` };
  };
  const get = async (path: string) => {
    const wire = await site.ask(path).catch(() => undefined);
    if (wire?.status !== 200) return wire?.status ?? 'reset';
    return wire.body.length === right.length ? 'right' : 'short';
  };

  it('is refused by GET and HEAD without another transfer, until its tag changes', async () => {
    const { now, url } = await feedWith({ ETag: '"1"' });
    site.list('/tagged', [url], checksum(right));
    expect(await get('/tagged')).toBe('reset');
    const [again, head] = [await site.ask('/tagged'), await site.ask('/tagged', { method: 'HEAD' })];
    for (const wire of [again, head]) {
      expect(wire.status).toBe(502);
      expect(valuesOf(wire, 'proxy-status')).toEqual([refusal]);
      expect(valuesOf(wire, 'cache-control')).toEqual(['no-store']);
    }
    Object.assign(now, { bytes: right, fields: { ETag: '"2"' } });
    expect(await get('/tagged')).toBe('right');
  });

  it('is transferred if the catalog lists another checksum', async () => {
    const { url } = await feedWith({ ETag: '"1"' });
    site.list('/listed', [url], checksum(right));
    expect(await get('/listed')).toBe('reset');
    expect(await get('/listed')).toBe(502);
    site.list('/listed', [url], { ...checksum(wrong), revision: 2 });
    expect(await get('/listed')).toBe('right');
  });

  it('is not known of another source, which serves it', async () => {
    const [bad, good] = [await feedWith(), await feedWith()];
    good.now.bytes = right;
    site.list('/two', [bad.url, good.url], checksum(right));
    expect(await get('/two')).toBe('reset');
    expect(await get('/two')).toBe('right');
  });

  it('is known if it was found before its head', async () => {
    const { now, url } = await feedWith();
    now.bytes = Buffer.from('wrong');
    site.list('/small', [url], checksum(Buffer.from('right')));
    const failures = async () => (await site.ask('/small')).head.filter((line) => /^proxy-status/i.test(line));
    expect(await failures()).toEqual([expect.stringContaining('WRONG_CHECKSUM')]);
    expect(await failures()).toEqual([expect.stringContaining('KNOWN_WRONG')]);
  });
});

describe('content that a feed compresses unasked', () => {
  const lines = Buffer.from(Array.from({ length: 20_000 }, (_, line) => `${line} bear\n`).join(''));
  const packed = gzipSync(lines);
  const CODED = { 'Content-Encoding': 'gzip', ETag: '"packed"' };
  const coded = (bytes = packed, fields: OutgoingHttpHeaders = {}) =>
    serve((request, response) => {
      response.writeHead(200, { ...CODED, ...fields });
      response.end(request.method === 'HEAD' ? undefined : bytes);
    });

  const few = lines.subarray(0, 900);
  const length = { 'Content-Length': packed.length };

  it.each([
    ['small, on the fly, by both', few, {}, { ...checksum(few), size: few.length }],
    ['large, before, by both', lines, length, { ...checksum(lines), size: lines.length }],
    ['large, before, by its size', lines, length, { size: lines.length }],
  ])('is served decoded: %s', async (name, content, fields, entry) => {
    const path = `/decoded/${encodeURIComponent(name)}`;
    site.list(path, [`${(await coded(gzipSync(content), fields)).url}/x`], entry);
    const wire = await site.ask(path);
    expect(wire.status).toBe(200);
    expect(valuesOf(wire, 'content-encoding')).toEqual([]);
    expect(valuesOf(wire, 'etag')).not.toContain('"packed"');
    expect(wire.body).toContain(content.subarray(-200).toString());
    const head = await site.ask(path, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(valuesOf(head, 'content-encoding')).toEqual([]);
    expect(valuesOf(head, 'content-length')).toEqual('size' in entry ? [`${content.length}`] : []);
  });

  it.each([
    ['a checksum', { ...checksum(lines), size: lines.length }],
    ['none', { size: lines.length }],
  ])('may be the file itself if it is large, with %s: it is decoded once its length is known', async (what, entry) => {
    const path = `/learned/${encodeURIComponent(what)}`;
    site.list(path, [`${(await coded()).url}/x`], entry);
    await expect(site.ask(path)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await site.ask(path)).body).toContain('19999 bear\n');
    expect((await site.ask(path)).body).toContain('19999 bear\n');
  });

  it.each([
    ['the file is gzip itself', packed, length, checksum(packed)],
    ['the file is gzip itself, of unknown length', packed, {}, checksum(packed)],
    [
      'the file is small and gzip itself',
      gzipSync(few),
      {},
      { ...checksum(gzipSync(few)), size: gzipSync(few).length },
    ],
    ['the name says so', packed, {}, { ...checksum(packed), path: '/x.gz' }],
    ['the feed declares a coding that it does not apply', lines, {}, checksum(lines)],
  ])('passes as it is if %s', async (name, bytes, fields, entry) => {
    const path = `/raw/${encodeURIComponent(name)}${'path' in entry ? '.gz' : ''}`;
    site.list(path, [`${(await coded(bytes, fields)).url}/x`], { ...entry, path });
    expect((await site.ask(path)).body).toContain(bytes.subarray(0, 1000).toString('latin1').slice(0, 200));
  });

  it('is refused if it is damaged, and another source is asked', async () => {
    const damaged = Buffer.from(packed).fill(7, 100, 200);
    const good = await serve((_, response) => response.end(lines));
    const listed = { ...checksum(lines), size: lines.length };
    site.list('/damaged', [`${(await coded(damaged, length)).url}/x`, `${good.url}/x`], listed);
    expect((await site.ask('/damaged')).body).toContain('19999 bear\n');
  });

  it('is cut if it expands without end', async () => {
    const bomb = gzipSync(Buffer.alloc(64 << 20));
    const declared = { 'Content-Length': bomb.length };
    site.list('/bomb', [`${(await coded(bomb, declared)).url}/x`], { size: 64 << 20 });
    await expect(site.ask('/bomb')).rejects.toMatchObject({ code: 'ECONNRESET' });
    const lineOf = () => site.log.find(({ msg, path }) => msg === 'request' && path === '/bomb');
    await until(() => lineOf() !== undefined);
    const line = lineOf();
    expect(line).toMatchObject({ outcome: 'failed', code: 'PROTOCOL_ERROR' });
    expect(Number(line?.bytes)).toBeLessThan(40 << 20);
  });
});
