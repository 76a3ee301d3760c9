import { randomBytes } from 'node:crypto';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createCertificates } from '../support/certificates.ts';
import { startFeed, startScript, type TestFeed } from '../support/feeds.ts';
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
  it.each([408, 429, 520])('is asked again after %i', async (status) => {
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

  it.each([500, 502, 503, 504])(
    'is not asked again after %i if it wants to be left alone for longer',
    async (status) => {
      const feed = await serve((_, response) => response.writeHead(status, { 'Retry-After': '3600' }).end());
      site.list(`/later/${status}`, [feed.url]);
      expect((await site.ask(`/later/${status}`)).status).toBe(status === 503 ? 503 : 502);
      expect(feed.requests).toHaveLength(1);
    },
  );

  it.each([403, 505, 511])('is not asked again after %i, which does not pass', async (status) => {
    const feed = await serve((_, response) => response.writeHead(status).end());
    site.list(`/never/${status}`, [feed.url]);
    expect((await site.ask(`/never/${status}`)).status).toBe(502);
    expect(feed.requests).toHaveLength(1);
  });
});

describe('an answer', () => {
  it('has the streamer’s own version, whatever the feed speaks', async () => {
    const feed = await startScript('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi');
    feeds.push(feed);
    site.list('/old', [feed.url]);
    expect(await site.ask('/old')).toMatchObject({ head: expect.arrayContaining(['HTTP/1.1 200 OK']), body: 'hi' });
  });

  it('gets the file as it is, whatever it prefers', async () => {
    const feed = await serve((_, response) => response.setHeader('Content-Type', 'text/plain').end(right));
    site.list('/preferred', [feed.url]);
    const fields = ['Accept: image/png', 'Accept-Encoding: gzip, identity;q=0', 'Accept-Language: fr'];
    const wire = await site.ask('/preferred', { fields });
    expect(wire).toMatchObject({ status: 200, body: textOf(right) });
    expect(valuesOf(wire, 'vary')).toEqual([]);
    expect(feed.requests[0]?.headers).toMatchObject({ accept: '*/*', 'accept-encoding': 'identity' });
  });
});

it.each(['If-None-Match: *', 'If-Match: "x"', 'If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT'])(
  'does not change an answer that is no success',
  async (field) => {
    const feed = await serve((_, response) => response.writeHead(404).end());
    site.list(`/conditions/${field.length}`, [feed.url]);
    expect((await site.ask(`/conditions/${field.length}`, { fields: [field] })).status).toBe(404);
    expect((await site.ask('/nothing/there', { fields: [field] })).status).toBe(404);
  },
);

describe('a feed', () => {
  it.each(['GET', 'HEAD'])('that is the streamer itself is not asked without end: %s', async (method) => {
    const own = await startWireSite(folder(), { dispatch: 'none', headTimeout: 0.5, maxConnections: 8 });
    const port = own.daemon.addresses[0]?.port;
    const around = await serve(({ url: path, headers }, response) => {
      const asking = request({ port, path, method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      asking.on('error', () => response.destroy()).end();
      response.on('close', () => asking.destroy());
    });
    own.list('/loop', [`${around.url}/loop`]);
    expect([503, 504]).toContain((await own.ask('/loop', { method })).status);
    await around.quiet();
    const { length } = around.requests;
    await own.daemon.stop();
    expect(around.requests).toHaveLength(length);
  });

  it('with a wrong certificate has the reason in the log', async () => {
    const { expired } = await createCertificates();
    const feed = await startFeed((_, response) => response.end(right), expired);
    feeds.push(feed);
    site.list('/expired', [feed.url]);
    expect((await site.ask('/expired')).status).toBe(502);
    expect(site.log.at(-1)).toMatchObject({ code: 'TLS_FAILED', error: expect.stringContaining('has expired') });
  });
});
