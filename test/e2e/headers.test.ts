import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { filter, firstValueFrom } from 'rxjs';
import { startRaw, startScript, type TestFeed } from '../support/feeds.ts';
import { sha256 } from '../support/pipeline.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { until } from '../support/until.ts';
import { startWireSite, valuesOf, type Wire, type WireSite } from '../support/wire.ts';

const folder = temporaryFolders();
let site: WireSite;
beforeAll(async () => {
  site = await startWireSite(folder());
});
afterAll(() => site.daemon.stop());

const feeds: TestFeed[] = [];
afterEach(() => Promise.all(feeds.splice(0).map((feed) => feed.close())));
const script = async (bytes: string): Promise<TestFeed> => {
  const feed = await startScript(bytes, (socket) => socket.end());
  feeds.push(feed);
  return feed;
};

let paths = 0;
/** The response to a client if the feed answers with this head and the body `hi`. */
const relay = async (...fields: readonly string[]): Promise<Wire> => {
  const feed = await script(['HTTP/1.1 200 OK', ...fields, 'Content-Length: 2', '', 'hi'].join('\r\n'));
  const path = `/relayed/${paths++}.rpm`;
  site.list(path, [feed.url + path]);
  return site.ask(path);
};

/** Header fields that Node adds. */
const OWN = /^(Date|Connection): /;

describe('header fields of a feed', () => {
  it('reach the client in order, apart, and as they are spelled', async () => {
    const fields = [
      'Server: feed/1.0',
      'x-b: 1',
      'Link: </a>; rel=next',
      'X-B: 2',
      'LINK: </b>',
      'Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT',
      'ETag: W/"weak"',
      'Content-Disposition: attachment; filename="\xe9.rpm"',
      'Content-Language: de',
      'X-Latin: \xe4\xff',
      'X-Tab: a\tb',
      "!#$%&'*+-.^_`|~09: token",
      'Content-Type: application/x-rpm',
    ];
    const { head, body } = await relay(...fields);
    expect(head.filter((line) => !OWN.test(line))).toEqual([
      'HTTP/1.1 200 OK',
      ...fields,
      'Accept-Ranges: bytes',
      'Cache-Control: public, s-maxage=86400, max-age=86400',
      'Via: 1.1 pulp-streamer',
      'Cache-Status: pulp-streamer;fwd=uri-miss;fwd-status=200;stored;detail="feed"',
      expect.stringMatching(/^X-Request-Id: [0-9a-f-]{36}$/),
      'Content-Length: 2',
    ]);
    expect(body).toBe('hi');
  });

  it('are removed if they belong to the connection, or contradict the caching of the response', async () => {
    const { head } = await relay(
      'Connection: keep-alive, X-Hop',
      'Connection: x-other-hop',
      'X-Hop: 1',
      'X-Other-Hop: 1',
      'Keep-Alive: timeout=5',
      'Proxy-Authenticate: Basic',
      'Proxy-Connection: close',
      'TE: trailers',
      'Trailer: X-End',
      'Upgrade: h2c',
      'Cache-Control: no-store, private',
      'Cache-Control: must-revalidate',
      'Expires: 0',
      'Pragma: no-cache',
      'Age: 86000',
      'Date: Thu, 01 Jan 1970 00:00:00 GMT',
      'Vary: *',
      'Warning: 110 - "stale"',
      'Surrogate-Control: no-store',
      'CDN-Cache-Control: no-store',
      'Set-Cookie: session=secret',
      'Set-Cookie: other=secret',
      'X-Accel-Expires: 0',
      'X-Accel-Redirect: /etc/passwd',
      'X-Sendfile: /etc/passwd',
      'Surrogate-Key: a',
      'NEL: {"report_to":"feed"}',
      'Refresh: 0; url=http://feed.invalid/',
      'Access-Control-Allow-Origin: *',
      'Link: </x>; rel=preload',
      'X-Kept: 1',
    );
    const names = head.slice(1).map((line) => line.slice(0, line.indexOf(':')));
    expect(names.sort()).toEqual(
      [
        ...[
          'Accept-Ranges',
          'Cache-Control',
          'Cache-Status',
          'Connection',
          'Content-Length',
          'Content-Type',
          'Date',
          'Via',
        ],
        ...['X-Kept', 'X-Request-Id'],
      ].sort(),
    );
    expect(head.filter((line) => /^date:/i.test(line))).toEqual([expect.not.stringContaining('1970')]);
    expect(head).toContain('Content-Type: application/x-rpm');
  });

  it('of earlier proxies stay, ours come after them', async () => {
    const wire = await relay(
      'Via: 1.0 a',
      'Cache-Status: cdn;hit',
      'Via: 1.1 b',
      'Proxy-Status: cdn',
      'X-Request-Id: 1',
    );
    expect(valuesOf(wire, 'via')).toEqual(['1.0 a', '1.1 b', '1.1 pulp-streamer']);
    expect(valuesOf(wire, 'cache-status')).toEqual([
      'cdn;hit',
      'pulp-streamer;fwd=uri-miss;fwd-status=200;stored;detail="feed"',
    ]);
    expect(valuesOf(wire, 'proxy-status')).toEqual(['cdn']);
    const ids = valuesOf(wire, 'x-request-id');
    expect(ids).toHaveLength(1);
    // The client may be faster than the log.
    await until(() => site.log.some(({ id, msg }) => id === ids[0] && msg === 'request'));
  });

  it.each([
    ['a bare CR', 'X-A: a\rEvil: 1'],
    ['a NUL', 'X-A: a\0Evil: 1'],
    ['a folded line', 'X-A: a\r\n Evil: 1'],
    ['a space in a name', 'X A: 1'],
    ['a space after a name', 'Evil : 1'],
    ['no name', ': 1'],
    ['a name beyond ASCII', 'Evil\xe9: 1'],
    ['a control character', 'X-A: a\x01Evil'],
    ['a DEL', 'X-A: a\x7fEvil'],
  ])('cannot smuggle anything in: %s', async (_, line) => {
    const wire = await relay(line);
    expect(wire.head.join('\n')).not.toMatch(/evil/i);
    // One response, and nothing after it.
    expect([200, 502]).toContain(wire.status);
    expect(wire.body).toBe(wire.status === 200 ? 'hi' : '502 the source sends malformed HTTP\n');
  });

  it('that no proxy could accept are refused: 502', async () => {
    for (const fields of [Array(129).fill('X-A: 1'), Array(17).fill(`X-A: ${'x'.repeat(1024)}`)]) {
      const wire = await relay(...fields);
      expect(wire.status).toBe(502);
      expect(valuesOf(wire, 'proxy-status')).toEqual([
        expect.stringMatching(/^pulp-streamer;error=http_protocol_error;.*details="PROTOCOL_ERROR"$/),
      ]);
    }
  });
});

describe('content codings', () => {
  const zipped = gzipSync('x'.repeat(1000)).toString('latin1');
  const encoded = (more: string) =>
    script(`HTTP/1.1 200 OK\r\nContent-Encoding: ${more}\r\nContent-Length: ${zipped.length}\r\n\r\n${zipped}`);

  it('pass unchanged, bytes and header field, if no checksum describes the bytes', async () => {
    site.list('/coded/plain', [`${(await encoded('gzip')).url}/x`]);
    const wire = await site.ask('/coded/plain');
    expect(valuesOf(wire, 'content-encoding')).toEqual(['gzip']);
    expect(wire.body).toBe(zipped);
  });

  it('are removed from a file that matches its checksum', async () => {
    const checksum = { algorithm: 'sha256', value: sha256(Buffer.from(zipped, 'latin1')) } as const;
    site.list('/coded/file.gz', [`${(await encoded('x-gzip')).url}/x`], { checksum });
    const wire = await site.ask('/coded/file.gz');
    expect(valuesOf(wire, 'content-encoding')).toEqual([]);
    expect(valuesOf(wire, 'content-type')).toEqual(['application/gzip']);
    expect(wire.body).toBe(zipped);
  });
});

describe('a value of the catalog', () => {
  /** A feed that records the received bytes. */
  const listening = async () => {
    const asked: string[] = [];
    const feed = await startRaw((socket) => {
      socket.once('data', (bytes) => {
        asked.push(bytes.toString('latin1'));
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
      });
    });
    feeds.push(feed);
    return { feed, asked };
  };

  it.each([
    ['its path', '/odd/%0d%0aEvil:%201', '/odd/\r\nEvil: 1', '/x'],
    ['its URL', '/odd/url', '/odd/url', '/x HTTP/1.1\r\nEvil: 1\r\n\r\nGET /y'],
    ['its URL, encoded', '/odd/encoded', '/odd/encoded', '/x%0d%0aEvil:%201'],
    ['its URL’s query', '/odd/query', '/odd/query', '/x?a=\r\nEvil: 1\0'],
  ])('reaches neither feed nor client as header fields: %s', async (_, target, path, url) => {
    const { feed, asked } = await listening();
    site.list(path, [feed.url + url]);
    const wire = await site.ask(target);
    expect(wire.status).toBe(200);
    expect(wire.head.join('\n')).not.toMatch(/evil/i);
    expect(asked).toEqual([expect.not.stringMatching(/^Evil/m)]);
    expect(asked[0]?.match(/^GET /gm)).toHaveLength(1);
  });

  it('such as a password adds no header fields to a request', async () => {
    const { feed, asked } = await listening();
    const config = { basic_auth_username: 'a\r\nEvil: 1', basic_auth_password: 'b\r\n\r\n' };
    site.list('/odd/password', [`${feed.url}/x`], {}, config);
    expect((await site.ask('/odd/password')).status).toBe(200);
    expect(asked).toEqual([expect.not.stringMatching(/^Evil/m)]);
  });

  it.each(['/y%0d%0aEvil: 1', '/y\tz'])('nor does the target of a redirect: %j', async (location) => {
    const { feed, asked } = await listening();
    const first = await script(`HTTP/1.1 302 Found\r\nLocation: ${feed.url}${location}\r\n\r\n`);
    const path = `/odd/redirect/${paths++}`;
    site.list(path, [`${first.url}/x`]);
    const wire = await site.ask(path);
    expect(wire.head.join('\n')).not.toMatch(/evil/i);
    expect(asked).toEqual([expect.not.stringMatching(/^Evil/m)]);
  });
});

describe('a saved copy', () =>
  it('is marked as a hit, and looks like the response of the feed', async () => {
    const feed = await script('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
    site.list('/saved/bear.rpm', [`${feed.url}/x`], { checksum: { algorithm: 'sha256', value: sha256('hi') } });
    const { deliveries } = site.daemon.streamer;
    const saved = firstValueFrom(deliveries.pipe(filter(({ save }) => save.entry.path === '/saved/bear.rpm')));
    const first = await site.ask('/saved/bear.rpm');
    expect(await saved).toMatchObject({ type: 'delivered' });
    const second = await site.ask('/saved/bear.rpm');
    expect([first, second].map((wire) => valuesOf(wire, 'cache-status'))).toEqual([
      ['pulp-streamer;fwd=uri-miss;fwd-status=200;stored;detail="feed"'],
      ['pulp-streamer;hit'],
    ]);
    for (const name of ['etag', 'content-type', 'content-length', 'cache-control', 'via'])
      expect(valuesOf(second, name)).toEqual(valuesOf(first, name));
    expect(second.body).toBe('hi');
  }));
