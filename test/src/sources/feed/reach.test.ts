import { afterEach, describe, expect, it } from '@jest/globals';
import type { Access } from '../../../../pipelines/model/index.ts';
import { createFeed, type Feed } from '../../../../src/sources/feed/open.ts';
import { createCertificates } from '../../../support/certificates.ts';
import { anAsk, at, collect, failureOf } from '../../../support/collect.ts';
import { feedSettings } from '../../../support/feed-settings.ts';
import { startFeed, startOn, startRaw, type TestFeed } from '../../../support/feeds.ts';
import { forwardProxy } from '../../../support/forward-proxy.ts';
import { resolvingNames } from '../../../support/names.ts';

/** A name that operators gave, whose server is somewhere on the Internet. */
const HOME = 'feed.example.com';
const PUBLIC = '93.184.215.14';

describe('where a feed may lead', () => {
  const names = resolvingNames();
  const started: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map(({ close }) => close()));
  });
  const keep = <T extends { close(): Promise<void> }>(made: T): T => {
    started.push(made);
    return made;
  };
  const feedWith = (...networks: readonly string[]): Feed => keep(createFeed(feedSettings({ networks })));
  /** A server on this machine that a feed leads to. */
  const startInner = async (): Promise<TestFeed> => keep(await startFeed((_, response) => response.end('secret')));
  const redirector = async (to: string): Promise<TestFeed> =>
    keep(await startFeed((_, response) => response.writeHead(302, { Location: to }).end()));
  const ask = (feed: Feed, url: string, access: Access = {}) => collect(feed.open(at(url, { access }), anAsk()));
  const refusal = (feed: Feed, url: string, access: Access = {}) => failureOf(feed.open(at(url, { access }), anAsk()));
  const led = (from = HOME): Access => ({ home: `http://${from}/` });

  /** A feed of a public host, of which connections reach this machine: as its name was listed. */
  const publicFeed = async (...networks: readonly string[]): Promise<Feed> => {
    const feed = feedWith(HOME, ...networks);
    names.set(HOME, [PUBLIC]);
    const elsewhere = await refusal(feed, 'http://127.0.0.1:1/', led());
    expect(elsewhere.code).toBe('ADDRESS_REFUSED');
    names.set(HOME, ['127.0.0.1']);
    return feed;
  };

  it('is not this machine, as a mirror of a public feed', async () => {
    const inner = await startInner();
    names.set(HOME, [PUBLIC]);
    const error = await refusal(feedWith(), `${inner.url}/x`, led());
    expect(error).toMatchObject({ code: 'ADDRESS_REFUSED', source: 'feed' });
    expect(error.message).toBe(
      `${inner.url}/x: the feed at ${HOME} led there: 127.0.0.1 is an address of this machine; the setting feed_networks can permit it`,
    );
    expect(inner.connections.made).toBe(0);
  });

  it.each([
    ['a literal address', '127.0.0.1'],
    ['an address in other digits', '0x7f.1'],
    ['an address that stands for it', '[::ffff:127.0.0.1]'],
    ['an address that connects to it', '0.0.0.0'],
    ['a name', 'inner.example.com'],
  ])('is not this machine, by a redirect of a public feed to %s', async (_, host) => {
    const inner = await startInner();
    names.set('inner.example.com', ['127.0.0.1']);
    const origin = await redirector(`http://${host}:${inner.port}/`);
    const feed = await publicFeed();
    await expect(refusal(feed, `http://${HOME}:${origin.port}/`)).resolves.toMatchObject({ code: 'ADDRESS_REFUSED' });
    expect(origin.requests).toHaveLength(1);
    expect(inner.connections.made).toBe(0);
  });

  it('is not this machine over TLS', async () => {
    const { authority, server } = await createCertificates();
    const inner = keep(await startFeed((_, response) => response.end('secret'), server));
    names.set(HOME, [PUBLIC]);
    for (const host of ['127.0.0.1', 'inner.example.com']) {
      names.set('inner.example.com', ['127.0.0.1']);
      await expect(
        refusal(feedWith(), `https://${host}:${inner.port}/`, { ...led(), ca: authority.cert }),
      ).resolves.toMatchObject({ code: 'ADDRESS_REFUSED' });
    }
    expect(inner.connections.made).toBe(0);
  });

  it.each([
    ['an address', '127.0.0.1'],
    ['a network', '127.0.0.0/8'],
    ['the name', 'inner.example.com'],
  ])('is what a setting lists: %s', async (_, listed) => {
    const inner = await startInner();
    names.set(HOME, [PUBLIC]).set('inner.example.com', ['127.0.0.1']);
    const { body } = await ask(feedWith(listed), `http://inner.example.com:${inner.port}/`, led());
    expect(body.toString()).toBe('secret');
  });

  it('is only those of several addresses that are permitted', async () => {
    const inner = await startInner();
    names.set(HOME, [PUBLIC]).set('inner.example.com', ['127.0.0.2', '127.0.0.1']);
    const { body } = await ask(feedWith('127.0.0.1'), `http://inner.example.com:${inner.port}/`, led());
    expect(body.toString()).toBe('secret');
    const [socket] = inner.requests.map((request) => request.socket.localAddress);
    expect(socket).toBe('127.0.0.1');
    const error = await refusal(feedWith('127.0.0.3'), `http://inner.example.com:${inner.port}/`, led());
    expect(error.message).toMatch('127.0.0.2 is an address of this machine, 127.0.0.1 is an address of this machine;');
  });

  it('is this machine if the feed is there, by name or by address', async () => {
    const inner = await startInner();
    names.set('here.example.com', ['127.0.0.1']).set('inner.example.com', ['127.0.0.1']);
    const origin = await redirector(`http://inner.example.com:${inner.port}/`);
    for (const host of ['here.example.com', '127.0.0.1']) {
      const { body } = await ask(feedWith(), `http://${host}:${origin.port}/`);
      expect(body.toString()).toBe('secret');
    }
  });

  it('is another internal network no more than for a public feed, if the feed is in one', async () => {
    const inner = await startInner();
    for (const address of ['10.1.2.3', '169.254.1.1']) {
      names.set(HOME, [address]);
      await expect(refusal(feedWith(), inner.url, led())).resolves.toMatchObject({ code: 'ADDRESS_REFUSED' });
    }
  });

  it('is no link-local address, whatever the feed’s name leads to', async () => {
    names.set(HOME, ['169.254.169.254']);
    for (const url of [`http://${HOME}/`, 'http://169.254.169.254/', 'http://[fd00:ec2::254]/'])
      await expect(refusal(feedWith(), url, led())).resolves.toMatchObject({ code: 'ADDRESS_REFUSED' });
  });

  it('is not an internal network because the name of a public feed now leads there', async () => {
    const inner = await startInner();
    const feed = feedWith();
    names.set(HOME, [PUBLIC]);
    await refusal(feed, inner.url, led());
    names.set(HOME, ['127.0.0.1']);
    const error = await refusal(feed, `http://${HOME}:${inner.port}/`);
    expect(error.code).toBe('ADDRESS_REFUSED');
    expect(error.message).toMatch(
      `${HOME} had addresses of another kind before: 127.0.0.1 is an address of this machine`,
    );
    expect(inner.connections.made).toBe(0);
  });

  it('is no address whose connection is kept for another feed', async () => {
    const inner = await startInner();
    const feed = feedWith();
    await ask(feed, inner.url);
    expect(inner.connections.open.size).toBe(1);
    names.set(HOME, [PUBLIC]);
    await expect(refusal(feed, inner.url, led())).resolves.toMatchObject({ code: 'ADDRESS_REFUSED' });
    expect(inner.requests).toHaveLength(1);
  });

  it('is not decided where the home cannot be looked up', async () => {
    const inner = await startInner();
    const error = await refusal(feedWith(), inner.url, led('nowhere.invalid'));
    expect(error.code).toBe('ADDRESS_REFUSED');
    expect(error.message).toMatch(/whose own address is unknown \(getaddrinfo .*nowhere.invalid\): 127.0.0.1 is/);
    expect(inner.connections.made).toBe(0);
  });

  describe('behind a proxy', () => {
    const startProxy = async () => {
      const { server, asked } = forwardProxy();
      return { ...keep(await startOn(server)), asked };
    };

    it.each(['127.0.0.1', '[::1]', 'localhost', 'intranet', '169.254.169.254', 'metadata.google.internal'])(
      'is not %s for a public feed, and the proxy is not asked',
      async (host) => {
        const proxy = await startProxy();
        for (const scheme of ['http', 'https']) {
          const access: Access = { ...led(), proxy: { url: proxy.url } };
          const error = await refusal(feedWith(), `${scheme}://${host}:1/`, access);
          expect(error.code).toBe('ADDRESS_REFUSED');
          expect(error.message).toMatch(`the feed at ${HOME} led there: `);
        }
        expect(proxy.asked).toEqual([]);
      },
    );

    it('is what the feed’s own host is, what is listed, and any public name', async () => {
      const inner = await startInner();
      const proxy = await startProxy();
      const access: Access = { proxy: { url: proxy.url } };
      await expect(ask(feedWith(), inner.url, { ...access, ...led('localhost') })).resolves.toBeDefined();
      await expect(ask(feedWith('127.0.0.0/8'), inner.url, { ...access, ...led() })).resolves.toBeDefined();
      const taking = keep(await startRaw((socket) => socket.once('data', () => socket.end('HTTP/1.1 204 No\r\n\r\n'))));
      const through: Access = { ...led(), proxy: { url: taking.url } };
      await expect(refusal(feedWith(), 'http://cdn.example.org/', through)).resolves.toMatchObject({
        code: 'SOURCE_STATUS',
      });
    });
  });
});
