import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { Access } from '../../../../pipelines/model/index.ts';
import { createFeed } from '../../../../src/sources/feed/open.ts';
import { createCertificates } from '../../../support/certificates.ts';
import { anAsk, at, collect, failureOf } from '../../../support/collect.ts';
import { feedSettings } from '../../../support/feed-settings.ts';
import { startFeed, startOn, startRaw, type TestFeed } from '../../../support/feeds.ts';
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
    const asked = open(`${scheme}://127.0.0.1:1/a`, access).subscribe({ error: () => {} });
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
