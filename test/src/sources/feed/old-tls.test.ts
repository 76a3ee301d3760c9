import type { ServerOptions } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Access, errorSourceOf, remedyOf } from '../../../../pipelines/model/index.ts';
import { createFeed } from '../../../../src/sources/feed/open.ts';
import type { TlsLevel } from '../../../../src/sources/feed/secure-context.ts';
import { anAsk, at, collect, failureOf } from '../../../support/collect.ts';
import { feedSettings } from '../../../support/feed-settings.ts';
import { startFeed, startOn, startRaw, type TestFeed } from '../../../support/feeds.ts';
import { forwardProxy } from '../../../support/forward-proxy.ts';
import { oldCertificates, oldDiffieHellman } from '../../../support/old-certificates.ts';
import { passOnTo } from '../../../support/pass-on.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

const newFolder = temporaryFolders();

describe('a feed with TLS of years ago', () => {
  const closing: (() => Promise<void>)[] = [];
  let made: ReturnType<typeof makeAll>;
  beforeAll(() => {
    made = makeAll();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const makeAll = () => {
    const { authority } = oldCertificates(newFolder());
    const ca = authority();
    const smallCa = authority({ bits: 1024 });
    return {
      authority: ca,
      ca: ca.cert,
      smallCa: smallCa.cert,
      good: ca.leaf(),
      small: ca.leaf({ bits: 1024 }),
      tiny: ca.leaf({ bits: 512 }),
      sha1: ca.leaf({ digest: 'sha1' }),
      md5: ca.leaf({ digest: 'md5' }),
      bySmall: smallCa.leaf(),
      named: ca.leaf({ subject: '/CN=localhost' }, ''),
      addressed: ca.leaf({ subject: '/CN=127.0.0.1' }, ''),
      misnamed: ca.leaf({ subject: '/CN=127.0.0.1' }, 'DNS:elsewhere.test'),
      client: ca.leaf({ bits: 1024, subject: '/CN=client' }, ''),
      dh: oldDiffieHellman(),
    };
  };

  const started = async (making: Promise<TestFeed>): Promise<TestFeed> => {
    const server = await making;
    closing.push(server.close);
    return server;
  };
  const start = (tls: ServerOptions) =>
    started(
      startFeed((_, response) => response.end('hi'), { ciphers: 'DEFAULT:@SECLEVEL=0', minVersion: 'TLSv1', ...tls }),
    );
  /** Opens feeds, with a level for one host if one is given. */
  const opening = (level?: TlsLevel, host = '127.0.0.1') => {
    const feed = createFeed(
      feedSettings({ connectTimeout: 5000, ...(level !== undefined && { tlsLevels: new Map([[host, level]]) }) }),
    );
    closing.push(feed.close);
    return (url: string, access: Access = { ca: made.ca }) => feed.open(at(url, { access }), anAsk());
  };
  const body = { body: Buffer.from('hi') };

  const only = (version: 'TLSv1' | 'TLSv1.1'): ServerOptions => ({
    ...made.good,
    minVersion: version,
    maxVersion: version,
  });
  const TLS12 = { maxVersion: 'TLSv1.2' } as const;
  const cases: [string, () => ServerOptions, level: TlsLevel, text: string][] = [
    ['a key of 1024 bits', () => made.small, 1, 'the key of the server’s certificate is too small'],
    ['a signature with SHA-1', () => made.sha1, 0, 'a signature in the server’s certificate chain is too weak'],
    ['a signature with MD5', () => made.md5, 0, 'a signature in the server’s certificate chain is too weak'],
    ['an authority with 1024 bits', () => made.bySmall, 1, 'the key of an authority in the server’s certificate chain'],
    ['TLS 1.0 alone', () => only('TLSv1'), 0, 'the server speaks only versions of TLS that are not accepted'],
    ['TLS 1.1 alone', () => only('TLSv1.1'), 0, 'the server speaks only versions of TLS that are not accepted'],
    ['a key of 512 bits', () => ({ ...made.tiny, ...TLS12 }), 0, 'the key of the server’s certificate is too small'],
    [
      'a small Diffie-Hellman key',
      () => ({ ...made.good, ...TLS12, ciphers: 'DHE-RSA-AES128-SHA256:@SECLEVEL=0', dhparam: made.dh }),
      1,
      'the server’s Diffie-Hellman key is too small',
    ],
  ];
  const trusting = (): Access => ({ ca: made.ca + made.smallCa });

  it.each(cases)('fails with the reason: %s', async (_, tls, level, text) => {
    const server = await start(tls());
    const error = await failureOf(opening()(server.url, trusting()));
    expect(error).toMatchObject({ code: 'TLS_FAILED', source: errorSourceOf({ url: server.url }) });
    expect(error.message).toContain(`${server.url}/: ${text}`);
    expect(error.message).toMatch(new RegExp(`feed_tls_levels gives the host (1 or )?${level}`));
    expect(error.message).not.toMatch(/\n|\.c:/);
    // Other sources are tried, and this one is not retried as after a network failure.
    expect(remedyOf(error)).toBe('other');
  });

  it.each(cases)('is read if its host has the level that it needs: %s', async (_, tls, level) => {
    const server = await start(tls());
    await expect(collect(opening(level)(server.url, trusting()))).resolves.toMatchObject(body);
  });

  it.each(cases)('is not read if another host has that level: %s', async (_, tls, level) => {
    const server = await start(tls());
    const error = await failureOf(opening(level, 'localhost')(server.url, trusting()));
    expect(error).toMatchObject({ code: 'TLS_FAILED' });
  });

  it('reports that it accepts no cipher offered', async () => {
    const server = await start({ ...made.good, ...TLS12, ciphers: 'NULL-SHA256:@SECLEVEL=0' });
    const error = await failureOf(opening(0)(server.url));
    expect(error).toMatchObject({ code: 'TLS_FAILED' });
    expect(error.message).toContain('it may demand a client certificate, or accept no cipher or signature offered');
  });

  it('is read at level 0 if it signs with SHA-1 only', async () => {
    const server = await start({ ...made.good, ...TLS12, sigalgs: 'RSA+SHA1' });
    await expect(failureOf(opening(1)(server.url))).resolves.toMatchObject({ code: 'TLS_FAILED' });
    await expect(collect(opening(0)(server.url))).resolves.toMatchObject(body);
  });

  it('gets a client certificate with a small key at level 1, and is reported without it', async () => {
    const server = await start({ ...made.good, ca: made.ca, requestCert: true });
    const access: Access = { ca: made.ca, clientCert: made.client.cert, clientKey: made.client.key };
    const error = await failureOf(opening()(server.url, access));
    expect(error).toMatchObject({ code: 'SOURCE_BROKEN' });
    expect(error.message).toContain('the key of the client certificate is too small');
    await expect(collect(opening(1)(server.url, access))).resolves.toMatchObject(body);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'reports through a proxy that it demands a certificate: %s',
    async (version) => {
      const demanding = { ca: made.ca, requestCert: true, minVersion: version, maxVersion: version };
      const server = await start({ ...made.good, ...demanding });
      const proxy = await started(startOn(forwardProxy().server));
      const error = await failureOf(opening()(server.url, { ca: made.ca, proxy: { url: proxy.url } }));
      expect(error).toMatchObject({ code: 'TLS_FAILED' });
      expect(error.message).toContain('demand');
    },
  );

  /** A server that answers the first bytes with the given ones. */
  const answering = (bytes: Buffer) =>
    started(startRaw((socket) => socket.once('data', () => socket.end(bytes)).resume()));
  const secure = ({ url }: TestFeed) => url.replace('http:', 'https:');

  it.each([
    [40, 'it may demand a client certificate'],
    [42, 'the server rejects our client certificate: bad certificate'],
    [43, 'the server rejects our client certificate: unsupported certificate'],
    [44, 'the server rejects our client certificate: certificate revoked'],
    [45, 'the server rejects our client certificate: certificate expired'],
    [46, 'the server rejects our client certificate: certificate unknown'],
    [48, 'the server rejects our client certificate: unknown ca'],
    [49, 'the server rejects our client certificate: access denied'],
    [70, 'the server speaks only versions of TLS that are not accepted'],
    [71, 'the server aborted the handshake: insufficient security'],
    [80, 'the server aborted the handshake: internal error'],
    [112, 'unrecognized name'],
    [116, 'the server demands a client certificate, and none was presented'],
  ])('is reported with the reason if it sends alert %d', async (alert, text) => {
    const server = await answering(Buffer.from([0x15, 3, 1, 0, 2, 2, alert]));
    const error = await failureOf(opening()(secure(server)));
    expect(error).toMatchObject({ code: 'TLS_FAILED' });
    expect(error.message).toContain(text);
  });

  /** A ServerHello without extensions (RFC 5246 section 7.4.1.3), with TLS_RSA_WITH_AES_128_CBC_SHA. */
  const helloOf = (minor: number): Buffer => {
    const hello = [3, minor, ...Buffer.alloc(32, 7), 0, 0, 0x2f, 0];
    return Buffer.from([0x16, 3, minor, 0, hello.length + 4, 2, 0, 0, hello.length, ...hello]);
  };

  it.each([
    ['answers with TLS 1.0', 1, 'the server speaks only versions of TLS that are not accepted'],
    ['has no secure renegotiation', 3, 'the server lacks secure renegotiation (RFC 5746)'],
  ])('is reported with the reason if it %s', async (_, minor, text) => {
    const server = await answering(helloOf(minor));
    const error = await failureOf(opening()(secure(server)));
    expect(error).toMatchObject({ code: 'TLS_FAILED' });
    expect(error.message).toContain(text);
    expect(error.message).toContain('feed_tls_levels gives the host 0');
  });

  it('is not promised to be accepted at level 0 if it has SSL 3 only', async () => {
    const server = await answering(helloOf(0));
    const error = await failureOf(opening(0)(secure(server)));
    expect(error).toMatchObject({ code: 'TLS_FAILED' });
    expect(error.message).toContain('TLS 1.0 and 1.1 are accepted where feed_tls_levels gives the host 0');
  });

  it('is accepted without secure renegotiation at level 0', async () => {
    const server = await answering(helloOf(3));
    const error = await failureOf(opening(0)(secure(server)));
    expect(error.message).not.toContain('renegotiation');
  });

  it('speaks TLS 1.2 at most at every level', async () => {
    const server = await startFeed((request, response) => response.end((request.socket as TLSSocket).getProtocol()), {
      ...made.good,
    });
    closing.push(server.close);
    await expect(collect(opening()(server.url))).resolves.toMatchObject({ body: Buffer.from('TLSv1.3') });
    for (const level of [0, 1, 2] as const)
      await expect(collect(opening(level)(server.url))).resolves.toMatchObject({ body: Buffer.from('TLSv1.2') });
  });

  it('is reported as one that may want TLS 1.3 if its host has a level', async () => {
    const server = await start({ ...made.good, minVersion: 'TLSv1.3' });
    await expect(collect(opening()(server.url))).resolves.toMatchObject(body);
    const error = await failureOf(opening(0)(server.url));
    expect(error).toMatchObject({ code: 'TLS_FAILED' });
    expect(error.message).toContain('TLS 1.3 where it does not list the host');
  });

  it('is read at level 2 if it cannot take a first message of more than one packet', async () => {
    const server = await start(made.good);
    const short = await started(
      startRaw((socket) =>
        socket.once('data', (hello: Buffer) => {
          if (hello.length > 1400) return socket.end();
          socket.unshift(hello);
          return passOnTo(server.url)(socket);
        }),
      ),
    );
    await expect(failureOf(opening()(secure(short)))).resolves.toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringContaining('the connection was closed during the TLS handshake, without a reason'),
    });
    await expect(collect(opening(2)(secure(short)))).resolves.toMatchObject(body);
  });

  it('cannot advise a lower level by the name in its certificate', async () => {
    const server = await start(made.authority.leaf({ subject: '/CN=dh key too small' }, ''));
    const error = await failureOf(opening()(server.url.replace('127.0.0.1', 'localhost')));
    expect(error).toMatchObject({ code: 'TLS_FAILED' });
    expect(error.message).toContain('is for another host name');
    expect(error.message).not.toContain('feed_tls_levels');
  });

  it('is not said to have expired itself if its authority has', async () => {
    const authority = oldCertificates(newFolder()).authority({ days: -1 });
    const server = await start(authority.leaf());
    const error = await failureOf(opening()(server.url, { ca: authority.cert }));
    expect(error).toMatchObject({ code: 'TLS_FAILED' });
    expect(error.message).toContain('the server’s certificate, or an authority’s, has expired');
  });

  it('may be asked again if its TLS breaks after the head', async () => {
    const server = await started(
      startFeed((request, response) => {
        response.writeHead(200, { 'Content-Length': 10 }).write('hi', () => {
          const below = (request.socket as unknown as { readonly _parent: Socket })._parent;
          below.end('no record of TLS');
        });
      }, made.good),
    );
    const error = await failureOf(opening()(server.url));
    expect(error).toMatchObject({ code: 'CONNECTION_LOST' });
    expect(error.message).toContain('the TLS connection broke');
    expect(remedyOf(error)).toBe('same');
  });

  it('may be asked again if what it sends is damaged on the way', async () => {
    const server = await start(made.good);
    const damaging = await started(
      startRaw((socket) => {
        const upstream = connect(server.port, '127.0.0.1');
        upstream.on('error', () => {});
        upstream.once('data', (flight: Buffer) => {
          flight[flight.length - 1] = ~(flight.at(-1) ?? 0);
          socket.write(flight);
          upstream.pipe(socket);
        });
        socket.on('close', () => upstream.destroy()).pipe(upstream);
      }),
    );
    const error = await failureOf(opening()(secure(damaging)));
    expect(error).toMatchObject({ code: 'CONNECTION_LOST' });
    expect(error.message).toContain('the TLS connection broke');
  });

  it.each(['http', 'https'])('is not blamed for the TLS of its proxy: %s', async (scheme) => {
    const server = await (scheme === 'https' ? start(made.good) : started(startFeed((_, end) => end.end('hi'))));
    const proxy = await start(only('TLSv1'));
    const error = await failureOf(opening()(server.url, { ca: made.ca, proxy: { url: proxy.url } }));
    expect(error).toMatchObject({ code: 'TLS_FAILED' });
    expect(error.message).toContain(`the proxy ${proxy.url}: the server speaks only versions of TLS`);
    // The setting is for feeds.
    expect(error.message).not.toContain('feed_tls_levels');
  });

  it('is reported on one line of moderate length, whatever names it has', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `DNS:${index}.elsewhere.test`).join(',');
    const server = await start(made.authority.leaf({}, names));
    const error = await failureOf(opening()(server.url));
    expect(error).toMatchObject({ code: 'TLS_FAILED' });
    expect(error.message.length).toBeLessThan(600);
    const odd = await start(made.authority.leaf({ subject: '/CN=\u001b[2J\nelsewhere' }, ''));
    const escaped = await failureOf(opening()(odd.url.replace('127.0.0.1', 'localhost')));
    expect(escaped.message).toContain('elsewhere');
    expect(escaped.message).not.toMatch(/\p{Cc}/u);
  });

  it('is verified by its common name if its certificate has no other', async () => {
    const named = await start(made.named);
    const byName = named.url.replace('127.0.0.1', 'localhost');
    await expect(collect(opening()(byName))).resolves.toMatchObject(body);
    await expect(failureOf(opening()(named.url))).resolves.toMatchObject({ code: 'TLS_FAILED' });
    const addressed = await start(made.addressed);
    await expect(collect(opening()(addressed.url))).resolves.toMatchObject(body);
    const misnamed = await start(made.misnamed);
    await expect(failureOf(opening()(misnamed.url))).resolves.toMatchObject({ code: 'TLS_FAILED' });
  });
});
