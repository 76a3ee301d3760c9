import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { Access } from '../../../../pipelines/model/index.ts';
import { createFeed } from '../../../../src/sources/feed/open.ts';
import { anAsk, at, collect, digestOf, failureOf } from '../../../support/collect.ts';
import { FEED_CLIENTS, feedClient } from '../../../support/feed-clients.ts';
import { feedSettings } from '../../../support/feed-settings.ts';
import { closedPort, startFeed, startScript, type TestFeed } from '../../../support/feeds.ts';

describe.each(FEED_CLIENTS)('a feed over HTTP, %s', (client) => {
  const feed = feedClient(client)(createFeed(feedSettings({ connectTimeout: 1000 })));
  const started: TestFeed[] = [];
  const start = async (making: Promise<TestFeed>): Promise<TestFeed> => {
    const made = await making;
    started.push(made);
    return made;
  };
  const open = (url: string, access?: Access, ask = anAsk()) => feed.open(at(url, { access }), ask);

  afterEach(async () => {
    await Promise.all(started.splice(0).map((made) => made.close()));
  });
  afterAll(() => feed.close());

  describe('asks', () => {
    const asked = async (ask = anAsk(), access?: Access, path = '/a%20b/c%2Fd;x?q=%C3%A4&r') => {
      const origin = await start(startFeed((_, response) => response.end('x')));
      await collect(feed.open(at(`${origin.url.replace('//', '//me:p%40ss@')}${path}`, { access }), ask));
      return origin.requests[0];
    };

    it('for the file without encoding', async () => {
      const request = await asked();
      expect(request?.method).toBe('GET');
      expect(request?.url).toBe('/a%20b/c%2Fd;x?q=%C3%A4&r');
      expect(request?.headers).toEqual({
        host: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        connection: 'keep-alive',
        'user-agent': 'pulp-streamer/test',
        accept: '*/*',
        'accept-encoding': 'identity',
        authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
      });
    });

    it.each([
      ['/100%.rpm', '/100%25.rpm'],
      ['/a\\b.rpm', '/a%5Cb.rpm'],
      ['/a b/é+%2B;1|2.rpm?x#y', '/a%20b/%C3%A9+%2B;1%7C2.rpm?x'],
    ])('for %j as %s', async (path, target) => {
      expect((await asked(anAsk(), undefined, path))?.url).toBe(target);
    });

    it('for the rest, if it is still the same', async () => {
      const { headers } = (await asked(anAsk({ from: 7, ifRange: '"v1"' }))) ?? {};
      expect(headers).toMatchObject({ range: 'bytes=7-', 'if-range': '"v1"' });
      expect((await asked(anAsk({ ifRange: '"v1"' })))?.headers).not.toHaveProperty('if-range');
    });

    it('for the head alone, without a range', async () => {
      const request = await asked(anAsk({ method: 'HEAD', from: 7 }));
      expect(request?.method).toBe('HEAD');
      expect(request?.headers).not.toHaveProperty('range');
    });

    it('with the source’s own credentials and header fields', async () => {
      const { headers } =
        (await asked(anAsk(), {
          basicAuth: { username: 'jörg', password: 'a:b' },
          headers: [
            ['X-RHUI-ID', 'id'],
            ['user-agent', 'mine'],
          ],
        })) ?? {};
      expect(headers).toMatchObject({
        authorization: `Basic ${Buffer.from('jörg:a:b').toString('base64')}`,
        'x-rhui-id': 'id',
        'user-agent': 'mine',
      });
    });
  });

  it('passes header fields on in order, as spelled, also repeated and Latin-1 ones', async () => {
    const text =
      'HTTP/1.1 200 OK\r\nX-b: 1\r\nSet-Cookie: a\r\nx-Ä: \xe9\r\nSet-cookie: b\r\nContent-Length: 2\r\n\r\nhi';
    const origin = await start(startScript(text.replace('x-Ä', 'x-A')));
    const { head, body } = await collect(open(origin.url));
    expect(head?.headers).toEqual([
      ['X-b', '1'],
      ['Set-Cookie', 'a'],
      ['x-A', '\xe9'],
      ['Set-cookie', 'b'],
      ['Content-Length', '2'],
    ]);
    expect(body.toString()).toBe('hi');
  });

  it.each([
    ['Content-Type: text/html\r\n', 'text/html'],
    ['content-type: x\r\n', 'x'],
    ['', 'application/x-rpm'],
  ])('states its own content type, otherwise the one that the catalog knows: %j', async (line, type) => {
    const origin = await start(startScript(`HTTP/1.1 200 OK\r\n${line}Content-Length: 2\r\n\r\nhi`));
    const { head } = await collect(
      feed.open({ url: `${origin.url}/blobs/76787`, headers: [['Content-Type', 'application/x-rpm']] }, anAsk()),
    );
    expect(head?.headers.filter(([name]) => /^content-type$/i.test(name)).map(([, value]) => value)).toEqual([type]);
  });

  it('skips informational answers', async () => {
    const origin = await start(
      startScript('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'),
    );
    const { head, body } = await collect(open(origin.url));
    expect(head?.headers).not.toContainEqual(['Link', '</x>']);
    expect(body.toString()).toBe('hi');
  });

  it('passes an encoded body through unchanged, headers and bytes agreeing', async () => {
    const zipped = gzipSync('x'.repeat(10_000));
    const origin = await start(
      startFeed((_, response) =>
        response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': zipped.length }).end(zipped),
      ),
    );
    const { head, body } = await collect(open(origin.url));
    expect(head?.headers).toContainEqual(['Content-Encoding', 'gzip']);
    expect(digestOf(body)).toBe(digestOf(zipped));
  });

  it.each([
    ['chunked', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n', 'abcde'],
    ['chunked and empty', 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', ''],
    ['until the connection ends', 'Connection: close\r\n\r\nabcde', 'abcde'],
  ])('reads a body without a length: %s', async (_, rest, text) => {
    const origin = await start(startScript(`HTTP/1.1 200 OK\r\n${rest}`, (socket) => socket.end()));
    const { head, body } = await collect(open(origin.url));
    expect(head?.length).toBeUndefined();
    expect(body.toString()).toBe(text);
  });

  it('reports a refusal without reading its body, and reuses the connection if the rest is short', async () => {
    const origin = await start(
      startFeed((request, response) =>
        request.url?.startsWith('/gone')
          ? response.writeHead(410, { 'Content-Length': 1000 }).end('x'.repeat(1000))
          : response.end('fine'),
      ),
    );
    const error = await failureOf(open(`${origin.url}/gone?signature=secret`));
    expect(error).toMatchObject({
      code: 'SOURCE_MISSING',
      sourceStatus: 410,
      message: `${origin.url}/gone?… answered 410`,
    });
    await origin.quiet();
    await collect(open(`${origin.url}/there`));
    expect(origin.connections.made).toBe(1);
  });

  it('closes the connection of a refusal that never ends', async () => {
    const origin = await start(
      startFeed((_, response) => {
        response.writeHead(500);
        const more = () => {
          while (!response.destroyed && response.write('x'.repeat(16_384)));
        };
        response.on('drain', more);
        more();
      }),
    );
    await expect(failureOf(open(origin.url))).resolves.toMatchObject({ code: 'SOURCE_FAILED' });
    await origin.quiet();
  });

  it('closes the connection of a refusal whose short rest never arrives', async () => {
    const origin = await start(
      startFeed((_, response) => {
        response.writeHead(404, { 'Content-Length': 10 }).write('x');
      }),
    );
    await expect(failureOf(open(origin.url))).resolves.toMatchObject({ code: 'SOURCE_MISSING' });
    await origin.quiet();
  });

  describe('misbehaving', () => {
    const end = 'end' as const;
    const reset = 'reset' as const;
    it.each([
      ['closes at once', '', end, 'CONNECTION_LOST'],
      ['resets at once', '', reset, 'CONNECTION_LOST'],
      ['closes within the head', 'HTTP/1.1 200 OK\r\nContent-Len', end, 'CONNECTION_LOST'],
      ['does not speak HTTP', 'SSH-2.0-OpenSSH_9\r\n', end, 'PROTOCOL_ERROR'],
      ['sends a broken header field', 'HTTP/1.1 200 OK\r\nno colon\r\n\r\n', end, 'PROTOCOL_ERROR'],
      [
        'sends two lengths',
        'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
        end,
        'PROTOCOL_ERROR',
      ],
      [
        'sends a length and chunks',
        'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        end,
        'PROTOCOL_ERROR',
      ],
      ['sends a head without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`, end, 'PROTOCOL_ERROR'],
      [
        'sends more than 16 KiB of header fields',
        `HTTP/1.1 200 OK\r\n${`X: ${'x'.repeat(1000)}\r\n`.repeat(17)}\r\n`,
        end,
        'PROTOCOL_ERROR',
      ],
      [
        'changes the protocol',
        'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
        end,
        'PROTOCOL_ERROR',
      ],
      ['sends a broken chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', end, 'PROTOCOL_ERROR'],
      ['closes within the body', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', end, 'CONNECTION_LOST'],
      [
        'closes within the body as announced',
        'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabc',
        end,
        'SHORT_BODY',
      ],
      ['resets within the body', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', reset, 'CONNECTION_LOST'],
      [
        'closes within the chunks',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc',
        end,
        'CONNECTION_LOST',
      ],
      [
        'closes before the last chunk',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
        end,
        'CONNECTION_LOST',
      ],
      [
        'closes within the chunks as announced',
        'HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc',
        end,
        'CONNECTION_LOST',
      ],
    ])('%s', async (_, bytes, how, code) => {
      const origin = await start(
        startScript(bytes, (socket) => (how === end ? socket.end() : socket.resetAndDestroy())),
      );
      const error = await failureOf(open(`${origin.url}/x`));
      expect(error).toMatchObject({ code, source: 'feed' });
      expect(error.message).toContain(`${origin.url}/x`);
      expect(error.cause).toBeDefined();
    });
  });

  it('accepts no more than 128 header fields', async () => {
    const origin = await start(startScript(`HTTP/1.1 200 OK\r\n${'X: 1\r\n'.repeat(129)}\r\n`));
    await expect(failureOf(open(`${origin.url}/x`))).resolves.toMatchObject({
      code: 'PROTOCOL_ERROR',
      message: `${origin.url}/x sent 129 header fields; at most 128 are accepted`,
    });
  });

  it('accepts 128 header fields, and 15 KiB of them', async () => {
    const many = `${'X: 1\r\n'.repeat(127)}Content-Length: 0\r\n\r\n`;
    const large = `${`X: ${'x'.repeat(1024)}\r\n`.repeat(15)}Content-Length: 0\r\n\r\n`;
    for (const fields of [many, large]) {
      const origin = await start(startScript(`HTTP/1.1 200 OK\r\n${fields}`));
      const { head } = await collect(open(origin.url));
      expect(head?.headers.filter(([name]) => name === 'X')).toHaveLength(fields === many ? 127 : 15);
    }
  });

  it('reports a port on which no server listens', async () => {
    const error = await failureOf(open(`http://127.0.0.1:${await closedPort()}/x`));
    expect(error).toMatchObject({ code: 'CONNECT_FAILED' });
    expect(error.message).toContain('ECONNREFUSED');
    await expect(failureOf(open(`http://localhost:${await closedPort()}/x`))).resolves.toMatchObject({
      code: 'CONNECT_FAILED',
    });
  });

  it('reports a host name that does not resolve', async () => {
    await expect(failureOf(open('http://nobody.invalid/x'))).resolves.toMatchObject({ code: 'DNS_FAILED' });
  });

  it.each([
    ['not a URL at all', 'bear.rpm', {}, 'not a feed’s URL: “bear.rpm”; expected http://… or https://…'],
    ['a URL without a host', 'http:///x', {}, 'not a feed’s URL: “http:///x”'],
    ['another scheme', 'ftp://feed/x', {}, 'not a feed’s URL: “ftp://feed/x”'],
    ['a header field of two lines', 'http://127.0.0.1/x', { headers: [['X', 'a\r\nb']] }, 'invalid X header'],
    [
      'a header field that only HTTP may set',
      'http://127.0.0.1/x',
      { headers: [['Transfer-Encoding', 'chunked']] },
      'invalid transfer-encoding header',
    ],
    ['a proxy without URL', 'http://127.0.0.1/x', { proxy: { url: 'proxy:3128' } }, 'the proxy’s URL is “proxy:3128”'],
  ] as const)('reports a configuration error: %s', async (_, url, access, text) => {
    const error = await failureOf(open(url, access));
    expect(error).toMatchObject({ code: 'SOURCE_BROKEN', source: 'feed' });
    expect(error.message).toContain(text);
  });
});
