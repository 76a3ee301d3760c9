import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startFeed, type TestFeed } from '../support/feeds.ts';
import { sha256 } from '../support/pipeline.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { startWireSite, valuesOf, type WireSite } from '../support/wire.ts';

const folder = temporaryFolders();
const feeds: TestFeed[] = [];
afterEach(() => Promise.all(feeds.splice(0).map((feed) => feed.close())));
const serve = async (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<TestFeed> => {
  const feed = await startFeed(answer);
  feeds.push(feed);
  return feed;
};

let site: WireSite;
beforeAll(async () => {
  site = await startWireSite(folder(), { dispatch: 'none', verifyWholeBelow: 1000, cooldown: 0, retryWait: 0.01 });
});
afterAll(() => site.daemon.stop());

const right = randomBytes(5000);
const checksum = { checksum: { algorithm: 'sha256' as const, value: sha256(right) } };
const textOf = (bytes: Buffer) => bytes.toString('latin1');

describe.each([203, 299])('content that comes with status %i', (status) => {
  const feedWith = (bytes: Buffer) =>
    serve((request, response) =>
      response.writeHead(status, { 'Content-Length': bytes.length }).end(request.method === 'HEAD' ? undefined : bytes),
    );

  it('is judged by its checksum', async () => {
    const path = `/right/${status}`;
    site.list(path, [(await feedWith(right)).url], checksum);
    expect(await site.ask(path)).toMatchObject({ status: 200, body: textOf(right) });
    const part = await site.ask(path, { fields: ['Range: bytes=1000-1999'] });
    expect(part).toMatchObject({ status: 206, body: textOf(right.subarray(1000, 2000)) });
  });

  it('is not used if it is wrong', async () => {
    const path = `/wrong/${status}`;
    const wrong = randomBytes(500);
    const other = await serve((_, response) => response.end(right.subarray(0, 500)));
    const small = { checksum: { algorithm: 'sha256' as const, value: sha256(right.subarray(0, 500)) } };
    site.list(path, [(await feedWith(wrong)).url, other.url], small);
    expect(await site.ask(path)).toMatchObject({ status: 200, body: textOf(right.subarray(0, 500)) });
  });

  it.each(['GET', 'HEAD'])('is refused without a checksum: %s', async (method) => {
    const path = `/unknown/${method}/${status}`;
    site.list(path, [(await feedWith(right)).url]);
    const wire = await site.ask(path, { method });
    expect(wire.status).toBe(502);
    expect(valuesOf(wire, 'proxy-status')).toEqual([
      `pulp-streamer;error=destination_unavailable;received-status=${status};details="SOURCE_STATUS"`,
    ]);
  });
});

describe('a feed that fails for a moment', () => {
  it.each([408, 429, 500, 502, 503, 504, 520])('is asked again after %i', async (status) => {
    const feed = await serve((_, response) => {
      if (feed.requests.length > 1) return response.end(right);
      return response.writeHead(status, { 'Content-Length': 5 }).end('sorry');
    });
    site.list(`/again/${status}`, [feed.url]);
    expect(await site.ask(`/again/${status}`)).toMatchObject({ status: 200, body: textOf(right) });
    expect(feed.requests).toHaveLength(2);
  });

  it.each([500, 502, 503, 504])('is asked as often as any other, if it is always %i', async (status) => {
    const feed = await serve((_, response) => response.writeHead(status).end());
    site.list(`/always/${status}`, [feed.url]);
    expect((await site.ask(`/always/${status}`)).status).toBe(status === 503 ? 503 : 502);
    const busy = await serve((_, response) => response.writeHead(429).end());
    site.list(`/busy/${status}`, [busy.url]);
    await site.ask(`/busy/${status}`);
    expect(feed.requests.length).toBe(busy.requests.length);
    expect(feed.requests.length).toBeGreaterThan(1);
  });

  it.each([501, 505, 511])('is not asked again after %i, which does not pass', async (status) => {
    const feed = await serve((_, response) => response.writeHead(status).end());
    site.list(`/never/${status}`, [feed.url]);
    expect((await site.ask(`/never/${status}`)).status).toBe(502);
    expect(feed.requests).toHaveLength(1);
  });
});
