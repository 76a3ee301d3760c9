import { hash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startFeed, startRaw, startScript, type TestFeed } from '../support/feeds.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { startWireSite, valuesOf, type WireSite } from '../support/wire.ts';

const folder = temporaryFolders();
const feeds: TestFeed[] = [];
afterEach(() => Promise.all(feeds.splice(0).map((feed) => feed.close())));
const opened = async (making: Promise<TestFeed>): Promise<TestFeed> => {
  const feed = await making;
  feeds.push(feed);
  return feed;
};

/** A daemon in which a source may be silent for longer than a client waits. */
let site: WireSite;
beforeAll(async () => {
  const times = { answerTimeout: 0.5, headTimeout: 30, readTimeout: 30, retryWait: 0.05 };
  site = await startWireSite(folder(), { dispatch: 'none', cooldown: 0, ...times });
});
afterAll(() => site.daemon.stop());

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n';
const silent = () => opened(startRaw(() => {}));
const good = () => opened(startFeed((_, response) => response.end('good')));

describe('a head in time', () => {
  it('is an error that names the sole source, if that never answers', async () => {
    site.list('/silent', [`${(await silent()).url}/x`]);
    const wire = await site.ask('/silent');
    expect(wire.status).toBe(504);
    expect(valuesOf(wire, 'proxy-status')).toEqual([
      'pulp-streamer;error=http_response_timeout;details="HEAD_TIMEOUT"',
    ]);
  });

  it('is an error if the sole source sends a head and no byte', async () => {
    site.list('/head-only', [`${(await opened(startScript(HEAD))).url}/x`]);
    const wire = await site.ask('/head-only');
    expect(wire.status).toBe(504);
    expect(valuesOf(wire, 'proxy-status')).toEqual(['pulp-streamer;error=connection_read_timeout;details="STALLED"']);
  });

  it('is that of a good source, whatever the others wait for', async () => {
    const urls = [await silent(), await opened(startScript(HEAD)), await good()].map(({ url }) => `${url}/x`);
    // Of the same content: another one would be outdated, and asked only after all others gave up.
    site.list('/third', urls, { checksum: { algorithm: 'sha256', value: hash('sha256', 'good') } });
    expect(await site.ask('/third')).toMatchObject({ status: 200, body: 'good' });
  });

  it('comes before the body that HEAD does not ask for', async () => {
    site.list('/head', [`${(await opened(startScript(HEAD))).url}/x`]);
    expect(await site.ask('/head', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });
});

describe('a source that fails before its first byte', () => {
  const cut = (head: string) => opened(startScript(head, (socket) => socket.resetAndDestroy()));
  const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const UNTIL_CLOSED = 'HTTP/1.1 200 OK\r\n\r\n';

  it.each([
    ['a length', HEAD],
    ['chunks', CHUNKED],
    ['the end of the connection', UNTIL_CLOSED],
  ])('is replaced without a checksum, its body framed by %s', async (framing, head) => {
    const path = `/replaced/${encodeURIComponent(framing)}`;
    site.list(path, [`${(await cut(head)).url}/x`, `${(await good()).url}/x`]);
    expect(await site.ask(path)).toMatchObject({ status: 200, body: 'good' });
  });

  it('is replaced if it starts over for a part, and fails before it', async () => {
    const ignoring = await cut('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n0123');
    const whole = await opened(
      startFeed((_, response) => response.writeHead(200, { 'Content-Length': 8 }).end('01234567')),
    );
    site.list('/part', [`${ignoring.url}/x`, `${whole.url}/x`]);
    const wire = await site.ask('/part', { fields: ['Range: bytes=6-7'] });
    expect(wire).toMatchObject({ status: 206, body: '67' });
  });
});

describe('a failure of a source that may pass', () => {
  it.each([500, 502, 503, 504])('%i is tried again before the head', async (status) => {
    let asked = 0;
    const feed = await opened(
      startFeed((_, response) => {
        asked += 1;
        if (asked === 1) response.writeHead(status);
        response.end(asked === 1 ? 'sorry' : 'good');
      }),
    );
    site.list(`/again/${status}`, [`${feed.url}/x`]);
    expect(await site.ask(`/again/${status}`)).toMatchObject({ status: 200, body: 'good' });
    expect(asked).toBe(2);
  });

  it('is not retried if it will not pass', async () => {
    const feed = await opened(startFeed((_, response) => response.writeHead(501).end()));
    site.list('/never', [`${feed.url}/x`]);
    expect((await site.ask('/never')).status).toBe(502);
    expect(feed.requests).toHaveLength(1);
  });
});

it('asks a feed for no byte beyond a known end', async () => {
  const body = '0123456789';
  const feed = await opened(
    startFeed((request, response) => {
      const fits = request.headers.range === 'bytes=4-9';
      if (!fits) return response.writeHead(416).end();
      return response.writeHead(206, { 'Content-Range': 'bytes 4-9/10', 'Content-Length': 6 }).end(body.slice(4));
    }),
  );
  site.list('/range', [`${feed.url}/x`], { size: 10 });
  expect(await site.ask('/range', { fields: ['Range: bytes=4-99'] })).toMatchObject({ status: 206, body: '456789' });
});
