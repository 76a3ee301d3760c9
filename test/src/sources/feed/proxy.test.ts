import { connect } from 'node:net';
import { createServer, getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { Access } from '../../../../pipelines/model/index.ts';
import { OPEN } from '../../../../pipelines/operators/valve.ts';
import { createFeed } from '../../../../src/sources/feed/open.ts';
import { createCertificates } from '../../../support/certificates.ts';
import { anAsk, at, collect, failureOf, someBytes } from '../../../support/collect.ts';
import { feedSettings } from '../../../support/feed-settings.ts';
import { closedPort, startFeed, startOn, startRaw, startScript, type TestFeed } from '../../../support/feeds.ts';
import { forwardProxy } from '../../../support/forward-proxy.ts';
import { until } from '../../../support/until.ts';

describe('a feed behind a proxy', () => {
  const feed = createFeed(feedSettings());
  const started: TestFeed[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((made) => made.close()));
  });
  afterAll(() => feed.close());

  const keep = async (making: Promise<TestFeed>): Promise<TestFeed> => {
    const made = await making;
    started.push(made);
    return made;
  };
  const startProxy = async () => {
    const { server, asked } = forwardProxy({ username: 'me', password: 'secret' });
    return { ...(await keep(startOn(server))), asked };
  };
  const open = (url: string, access: Access) => feed.open(at(url, { access }), anAsk());

  it('is asked through it, with a password', async () => {
    const origin = await keep(startFeed((_, response) => response.end('hi')));
    const proxy = await startProxy();
    const access: Access = { proxy: { url: proxy.url, username: 'me', password: 'secret' } };
    await expect(collect(open(`${origin.url}/a`, access))).resolves.toMatchObject({ body: Buffer.from('hi') });
    expect(proxy.asked).toEqual([`GET ${origin.url}/a`]);
    expect(origin.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  it('is asked through a tunnel for https, with its own client certificate', async () => {
    const { authority, server, client } = await createCertificates();
    const origin = await keep(
      startFeed((request, response) => response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN), {
        ...server,
        ca: authority.cert,
        requestCert: true,
      }),
    );
    const proxy = await startProxy();
    const access: Access = {
      ca: authority.cert,
      clientCert: client.cert,
      clientKey: client.key,
      proxy: { url: proxy.url, username: 'me', password: 'secret' },
    };
    await expect(collect(open(origin.url, access))).resolves.toMatchObject({ body: Buffer.from('first client') });
    expect(proxy.asked).toEqual([`CONNECT 127.0.0.1:${origin.port}`]);
    const { ca: _, ...untrusting } = access;
    await expect(failureOf(open(origin.url, untrusting))).resolves.toMatchObject({ code: 'TLS_FAILED' });
  });

  it.each(['http', 'https'])('is refused if the proxy wants a password: %s', async (scheme) => {
    const proxy = await startProxy();
    const error = await failureOf(open(`${scheme}://127.0.0.1:1/a`, { proxy: { url: proxy.url } }));
    expect(error).toMatchObject({ code: 'SOURCE_REFUSED', sourceStatus: 407 });
  });

  it('is not available if the proxy is not running', async () => {
    for (const scheme of ['http', 'https']) {
      const error = await failureOf(open(`${scheme}://127.0.0.1:1/a`, { proxy: { url: 'http://127.0.0.1:1' } }));
      expect(error).toMatchObject({ code: 'CONNECT_FAILED' });
    }
  });

  it.each(['http', 'https'])('leaves no connection behind if the proxy never answers: %s', async (scheme) => {
    const silent = await keep(startRaw((socket) => socket.resume()));
    const access: Access = { proxy: { url: silent.url } };
    const asked = open(`${scheme}://127.0.0.1:1/a`, access)(OPEN).subscribe({ error: () => {} });
    await until(() => silent.connections.open.size === 1);
    asked.unsubscribe();
    await silent.quiet();
  });

  it('fails if the proxy does not open a tunnel in time, and closes the connection', async () => {
    const silent = await keep(startRaw((socket) => socket.resume()));
    const access: Access = { proxy: { url: silent.url }, connectTimeout: 100 };
    await expect(failureOf(open('https://127.0.0.1:1/a', access))).resolves.toMatchObject({
      code: 'CONNECT_TIMEOUT',
      message: expect.stringContaining('the proxy did not open a tunnel in time'),
    });
    await silent.quiet();
  });

  it('is verified by its own name also through a tunnel', async () => {
    const { authority, elsewhere } = await createCertificates();
    const origin = await keep(startFeed((_, response) => response.end(), elsewhere));
    const proxy = await startProxy();
    const access: Access = { ca: authority.cert, proxy: { url: proxy.url, username: 'me', password: 'secret' } };
    const error = await failureOf(open(origin.url, access));
    expect(error).toMatchObject({ code: 'TLS_FAILED', message: expect.stringContaining('another host name') });
    expect(origin.requests).toHaveLength(0);
  });

  it.each([
    ['http', 'GET'],
    ['https', 'CONNECT'],
  ])('is refused with the authentication that the proxy wants, if it is not Basic: %s', async (scheme, method) => {
    const answer = 'HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n';
    const proxy = await keep(startScript(answer, (socket) => socket.end()));
    const error = await failureOf(open(`${scheme}://feed.test/a`, { proxy: { url: proxy.url } }));
    expect(error).toMatchObject({ code: 'SOURCE_REFUSED', sourceStatus: 407 });
    expect(error.message).toMatch(/wants Negotiate or NTLM, but only Basic is supported; .* local proxy/);
    expect(error.message.includes('CONNECT feed.test:443')).toBe(method === 'CONNECT');
  });

  it('does not wait for the end of what the proxy says about its password', async () => {
    const proxy = await keep(startScript('HTTP/1.1 407 No\r\nContent-Length: 1000\r\n\r\nsorry'));
    const patient = createFeed(feedSettings({ idleTimeout: 1_000_000 }));
    const events = patient.open(at('http://feed.test/a', { access: { proxy: { url: proxy.url } } }), anAsk());
    await expect(failureOf(events)).resolves.toMatchObject({ code: 'SOURCE_REFUSED' });
    await proxy.quiet();
    await patient.close();
  });

  it.each([
    ['403 Forbidden', 'CONNECT_FAILED', 'answered 403 to CONNECT feed.test:443'],
    ['302 Found', 'CONNECT_FAILED', 'answered 302 to CONNECT feed.test:443'],
    // undici takes it for the answer.
    ['103 Early Hints', 'CONNECT_FAILED', 'answered 103 to CONNECT feed.test:443'],
  ])('is not available if the proxy refuses a tunnel: %s', async (answer, code, text) => {
    const proxy = await keep(startScript(`HTTP/1.1 ${answer}\r\nContent-Length: 0\r\n\r\n`));
    const error = await failureOf(open('https://feed.test/a', { proxy: { url: proxy.url } }));
    expect(error).toMatchObject({ code, message: expect.stringContaining(`the proxy ${proxy.url} ${text}`) });
    await proxy.quiet();
  });

  it.each([
    [
      'closes the connection',
      '',
      'CONNECT_FAILED',
      'closed the connection instead of opening a tunnel to feed.test:443',
    ],
    ['answers with something else', 'SSH-2.0-x\r\n', 'PROTOCOL_ERROR', 'the proxy http://127.0.0.1:'],
  ])('fails if the proxy asked for a tunnel %s', async (_, bytes, code, text) => {
    const proxy = await keep(startScript(bytes, (socket) => socket.end()));
    const error = await failureOf(open('https://feed.test/a', { proxy: { url: proxy.url } }));
    expect(error).toMatchObject({ code, message: expect.stringContaining(text) });
    await proxy.quiet();
  });

  it('is asked through a tunnel after any success, whatever length that states', async () => {
    const { authority, server } = await createCertificates();
    const origin = await keep(startFeed((_, response) => response.end('hi'), server));
    const proxy = await keep(
      startRaw((socket) =>
        socket.once('data', () => {
          const far = connect(origin.port, '127.0.0.1', () => {
            socket.write('HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\n');
            far.pipe(socket).pipe(far);
          });
          far.on('error', () => socket.destroy());
        }),
      ),
    );
    const access: Access = { ca: authority.cert, proxy: { url: proxy.url } };
    await expect(collect(open(origin.url, access))).resolves.toMatchObject({ body: Buffer.from('hi') });
  });

  describe('over TLS', () => {
    const known = getCACertificates('default');
    afterEach(() => setDefaultCACertificates(known));
    /** A proxy whose authority the system trusts. It wants a client certificate if `wants`. */
    const startSecureProxy = async (wants = false) => {
      const certificates = await createCertificates();
      setDefaultCACertificates([...known, certificates.authority.cert]);
      const tls = { ...certificates.server, ca: certificates.authority.cert, requestCert: wants };
      const { server: inner } = forwardProxy();
      const outer = createServer({ ...tls, rejectUnauthorized: wants }, (socket) => inner.emit('connection', socket));
      const proxy = await keep(startOn(outer));
      return { ...certificates, url: proxy.url.replace('http:', 'https:') };
    };
    /** Larger than all buffers on the way. */
    const large = someBytes(8 << 20);

    it.each(['http', 'https'])('carries requests for %s', async (scheme) => {
      const { url, authority, server } = await startSecureProxy();
      const origin = await keep(startFeed((_, end) => end.end(large), scheme === 'https' ? server : undefined));
      const access: Access = { ...(scheme === 'https' && { ca: authority.cert }), proxy: { url } };
      expect((await collect(open(origin.url, access))).body.equals(large)).toBe(true);
      expect((await collect(open(origin.url, access))).body.equals(large)).toBe(true);
      expect(origin.connections.made).toBe(1);
    });

    it.each(['http', 'https'])('is named if it demands a certificate: %s', async (scheme) => {
      const { url } = await startSecureProxy(true);
      const error = await failureOf(open(`${scheme}://feed.test/a`, { proxy: { url } }));
      expect(error).toMatchObject({ code: 'TLS_FAILED' });
      expect(error.message).toContain(`the proxy ${url}: the server demands a client certificate`);
    });
  });

  it('names the proxy that cannot be reached', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    const error = await failureOf(open('https://feed.test/a', { proxy: { url } }));
    expect(error).toMatchObject({ code: 'CONNECT_FAILED', message: expect.stringContaining(`the proxy ${url}: `) });
  });

  it('reports a configuration error, and works as usual after', async () => {
    const single = createFeed(feedSettings({ connections: 1 }));
    const origin = await keep(startFeed((_, response) => response.end('hi')));
    const proxy = await startProxy();
    const access: Access = { proxy: { url: proxy.url, username: 'me', password: 'secret' } };
    const twice: Access = { ...access, headers: [['Proxy-Authorization', 'mine']] };
    await expect(failureOf(single.open(at(origin.url, { access: twice }), anAsk()))).resolves.toMatchObject({
      code: 'SOURCE_BROKEN',
    });
    await expect(collect(single.open(at(origin.url, { access }), anAsk()))).resolves.toMatchObject({
      body: Buffer.from('hi'),
    });
    await single.close();
  });
});
