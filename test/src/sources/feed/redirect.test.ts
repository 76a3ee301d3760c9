import type { RequestListener } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Access } from '../../../../pipelines/model/index.ts';
import { OPEN } from '../../../../pipelines/operators/valve.ts';
import { createFeed } from '../../../../src/sources/feed/open.ts';
import { type Certificates, createCertificates } from '../../../support/certificates.ts';
import { always, anAsk, at, collect, failureOf, someBytes } from '../../../support/collect.ts';
import { feedSettings } from '../../../support/feed-settings.ts';
import { flood, flow, startFeed, type TestFeed } from '../../../support/feeds.ts';

describe('a feed that redirects', () => {
  const feed = createFeed(feedSettings());
  const started: TestFeed[] = [];
  let certificates: Certificates;
  beforeAll(async () => {
    certificates = await createCertificates();
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((made) => made.close()));
  });
  afterAll(() => feed.close());

  const start = async (...args: Parameters<typeof startFeed>): Promise<TestFeed> => {
    const made = await startFeed(...args);
    started.push(made);
    return made;
  };
  const open = (url: string, access?: Access, ask = anAsk()) => feed.open(at(url, { access }), ask);

  /** Redirects from `/N` to `/N-1`, down to the file at `/0`. */
  const ladder: RequestListener = (request, response) => {
    const step = Number(request.url?.slice(1));
    if (step === 0) return response.end('found');
    return response.writeHead(302, { Location: `${step - 1}`, 'Content-Length': 4 }).end('gone');
  };

  it.each([301, 302, 303, 307, 308])(
    'is followed at status %i, with the same method and for the same bytes',
    async (status) => {
      const origin = await start((request, response) =>
        request.url === '/a/b?c'
          ? response.writeHead(status, { Location: '../d?e' }).end()
          : response.writeHead(206, { 'Content-Range': 'bytes 3-5/6' }).end('def'),
      );
      const { head, body } = await collect(open(`${origin.url}/a/b?c`, undefined, anAsk({ from: 3, ifRange: '"v"' })));
      expect(head).toMatchObject({ from: 3, length: 6 });
      expect(body.toString()).toBe('def');
      expect(origin.requests[1]).toMatchObject({
        url: '/d?e',
        method: 'GET',
        headers: { range: 'bytes=3-', 'if-range': '"v"' },
      });
      const two = origin.requests.length;
      await failureOf(open(`${origin.url}/a/b?c`, undefined, anAsk({ method: 'HEAD' })));
      expect(origin.requests.slice(two).map(({ method }) => method)).toEqual(['HEAD', 'HEAD']);
    },
  );

  it('is followed ten times, on the same connection', async () => {
    const origin = await start(ladder);
    const { head, body } = await collect(open(`${origin.url}/10`));
    expect(body.toString()).toBe('found');
    expect(head?.headers.some(([name]) => name.toLowerCase() === 'location')).toBe(false);
    expect(origin.requests).toHaveLength(11);
    expect(origin.connections.made).toBeLessThanOrEqual(2);
  });

  it('is not followed an eleventh time', async () => {
    const origin = await start(ladder);
    const error = await failureOf(open(`${origin.url}/11`));
    expect(error).toMatchObject({ code: 'TOO_MANY_REDIRECTS', sourceStatus: 302 });
    expect(error.message).toBe(`${origin.url}/11: too many redirects (max_redirects = 10)`);
    expect(origin.requests).toHaveLength(11);
  });

  it('is detected as a loop', async () => {
    const origin = await start((_, response) => response.writeHead(302, { Location: '/again' }).end());
    await expect(failureOf(open(`${origin.url}/again`))).resolves.toMatchObject({ code: 'TOO_MANY_REDIRECTS' });
  });

  it('is followed while the valve is closed, and the valve’s state applies after', async () => {
    const { listener, sent } = flood(someBytes(32 * 1024 * 1024));
    const there = await start(listener);
    const here = await start((request, response) =>
      request.url === '/0'
        ? response.writeHead(302, { Location: `${there.url}/paused`, 'Content-Length': 4 }).end('gone')
        : ladder(request, response),
    );
    const head = new Promise((resolve, reject) => {
      open(`${here.url}/5`, undefined, anAsk())(always(false)).subscribe({ next: resolve, error: reject });
    });
    await expect(head).resolves.toMatchObject({ type: 'head', length: 32 * 1024 * 1024 });
    // The rest of each redirect was read in spite of the valve, so its connection served the next
    // but one.
    expect(here.connections.made).toBeLessThanOrEqual(2);
    await collect(open(`${there.url}/other`));
    expect(sent.get('/paused')).toBeLessThan(16 * 1024 * 1024);
  });

  it('does not have its body read, however long', async () => {
    let sent = 0;
    const origin = await start((request, response) => {
      if (request.url === '/new') return response.end('found');
      response.writeHead(302, { Location: '/new' });
      return flow(response, someBytes(32 * 1024 * 1024), (bytes) => {
        sent = bytes;
      });
    });
    const { body } = await collect(open(`${origin.url}/old`));
    expect(body.toString()).toBe('found');
    await origin.quiet();
    expect(sent).toBeLessThan(16 * 1024 * 1024);
  });

  it.each([
    [undefined, 'no Location'],
    ['http://[', 'a Location that is not a URL'],
    ['http:///x', 'a Location that is not a URL'],
    ['http:x', 'a Location that is not a URL'],
    ['ftp://elsewhere/x', 'a Location that leads to ftp:; expected http: or https:'],
    ['file:///etc/passwd', 'a Location that leads to file:; expected http: or https:'],
  ])('to an unusable target is an error: %p', async (location, text) => {
    const origin = await start((_, response) =>
      response.writeHead(302, location === undefined ? {} : { Location: location }).end(),
    );
    const error = await failureOf(open(`${origin.url}/x`));
    expect(error).toMatchObject({ code: 'TOO_MANY_REDIRECTS', sourceStatus: 302 });
    expect(error.message).toBe(`${origin.url}/x answered 302 with ${text}`);
  });

  it('from a folder to its own path with a slash is reported, and not followed', async () => {
    const origin = await start((_, response) => response.writeHead(301, { Location: 'x/?page=1' }).end());
    expect(await failureOf(open(`${origin.url}/x`))).toMatchObject({ code: 'IS_FOLDER', sourceStatus: 301 });
  });

  it('has errors with the URL that failed, not the first one', async () => {
    const there = await start((_, response) => response.writeHead(404).end());
    const here = await start((_, response) => response.writeHead(302, { Location: `${there.url}/gone` }).end());
    const error = await failureOf(open(`${here.url}/x`));
    expect(error.message).toBe(`${there.url}/gone answered 404`);
  });

  it('decodes a non-ASCII Location as UTF-8', async () => {
    const origin = await start((request, response) =>
      request.url === '/x'
        ? response.writeHead(302, { Location: Buffer.from('/ä').toString('latin1') }).end()
        : response.end(request.url),
    );
    await expect(collect(open(`${origin.url}/x`))).resolves.toMatchObject({ body: Buffer.from('/%C3%A4') });
  });

  it('releases everything if the subscriber leaves after a redirect', async () => {
    const there = await start((_, response) => response.writeHead(200, { 'Content-Length': 10 }).write('x'));
    const here = await start((_, response) => response.writeHead(302, { Location: there.url }).end());
    await new Promise<void>((resolve) => {
      const subscription = open(here.url)(OPEN).subscribe((event) => {
        if (event.type !== 'chunk') return;
        subscription.unsubscribe();
        resolve();
      });
    });
    await there.quiet();
    await here.quiet();
  });

  describe('with a cookie', () => {
    const SESSION = 'session=a b; Path=/';
    /** Redirects from `/0` to `/1` and so on. Each sets its cookies; the last answers with what it got. */
    const chain = (...steps: readonly (readonly string[])[]) =>
      start((request, response) => {
        const step = Number(request.url?.split('/').at(-1));
        const cookies = steps[step];
        if (!cookies) return response.end(JSON.stringify(request.headers.cookie ?? null));
        return response.writeHead(302, { Location: `${step + 1}`, 'Set-Cookie': [...cookies] }).end();
      });
    const got = async (url: string, access?: Access) => JSON.parse((await collect(open(url, access))).body.toString());

    it('gets it back', async () => {
      const origin = await chain([SESSION, 'other=2']);
      expect(await got(`${origin.url}/0`)).toBe('session=a b; other=2');
    });

    it('gets it back at the same URL, instead of being a loop', async () => {
      const origin = await start((request, response) =>
        request.headers.cookie === 'seen=1'
          ? response.end('"found"')
          : response.writeHead(302, { Location: '/x', 'Set-Cookie': 'seen=1' }).end(),
      );
      expect(await got(`${origin.url}/x`)).toBe('found');
    });

    it('gets it within its chain only', async () => {
      const origin = await chain([SESSION]);
      await got(`${origin.url}/0`);
      expect(await got(`${origin.url}/1`)).toBe(null);
    });

    it('gets it in one field with those of the source', async () => {
      const origin = await chain([SESSION]);
      expect(await got(`${origin.url}/0`, { headers: [['cookie', 'own=1']] })).toBe('own=1; session=a b');
    });

    it('gets it if the chain comes back, but no other origin does', async () => {
      const seen: unknown[] = [];
      const there = await start((request, response) => {
        seen.push(request.headers.cookie);
        response.writeHead(302, { Location: `${here.url}/back`, 'Set-Cookie': 'there=1; Path=/' }).end();
      });
      const here = await start((request, response) => {
        if (request.url === '/back') return response.end(JSON.stringify(request.headers.cookie ?? null));
        return response.writeHead(302, { Location: there.url, 'Set-Cookie': SESSION }).end();
      });
      expect(await got(`${here.url}/x`)).toBe('session=a b');
      expect(seen).toEqual([undefined]);
    });

    it.each<[string, readonly string[], unknown]>([
      ['for another path', ['a=1; Path=/other'], null],
      ['for a path that only begins alike', ['a=1; Path=/dee'], null],
      ['for its path', ['a=1; Path=/deep'], 'a=1'],
      ['for the folder of its URL', ['a=1; Path=x'], 'a=1'],
      ['the longer path first', ['a=1; Path=/', 'b=2; Path=/deep'], 'b=2; a=1'],
      ['for another host', ['a=1; Domain=elsewhere.test'], null],
      ['for a part of an address', ['a=1; Domain=0.0.1'], null],
      ['for its own host', ['a=1; Domain=127.0.0.1'], 'a=1'],
      ['for https only', ['a=1; Secure'], null],
      [
        'that is over',
        ['a=1; Max-Age=0', 'b=2; Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'c=3; Max-Age=9; Expires=x'],
        'c=3',
      ],
      ['that is set again', ['a=1', 'a=2; HttpOnly; SameSite=Lax'], 'a=2'],
      ['that is removed', ['a=1', 'a=; Max-Age=-1'], null],
      ['without a name', ['=1', 'x'], null],
      ['that is too long', [`a=${'x'.repeat(5000)}`, 'b=1'], 'b=1'],
      [
        'that are too many',
        Array.from({ length: 4 }, (_, at) => `c${at}=${'x'.repeat(2500)}`),
        `c0=${'x'.repeat(2500)}; c1=${'x'.repeat(2500)}; c2=${'x'.repeat(2500)}`,
      ],
    ])('judges one %s', async (_, cookies, expected) => {
      const origin = await chain(cookies);
      expect(await got(`${origin.url}/deep/0`)).toBe(expected);
    });

    it('gets one for https only over https', async () => {
      const origin = await start((request, response) => {
        if (request.url === '/1') return response.end(JSON.stringify(request.headers.cookie ?? null));
        return response.writeHead(302, { Location: '/1', 'Set-Cookie': 'a=1; Secure' }).end();
      }, certificates.server);
      expect(await got(`${origin.url}/0`, { ca: certificates.authority.cert })).toBe('a=1');
    });
  });

  describe('with credentials', () => {
    const credentials = (): Access => ({
      ca: certificates.authority.cert,
      clientCert: certificates.client.cert,
      clientKey: certificates.client.key,
      basicAuth: { username: 'me', password: 'secret' },
      headers: [['X-RHUI-ID', 'secret']],
    });
    const tls = () => ({
      ...certificates.server,
      ca: certificates.authority.cert,
      requestCert: true,
      rejectUnauthorized: false,
    });
    const seen: { auth: unknown; rhui: unknown; certificate: unknown }[] = [];
    const noting =
      (answer: RequestListener): RequestListener =>
      (request, response) => {
        const { subject } = (request.socket as TLSSocket).getPeerCertificate();
        seen.push({
          auth: request.headers.authorization,
          rhui: request.headers['x-rhui-id'],
          certificate: subject?.CN,
        });
        answer(request, response);
      };
    afterEach(() => {
      seen.length = 0;
    });

    it('sends them again to the same origin', async () => {
      const origin = await start(noting(ladder), tls());
      await collect(open(`${origin.url}/1`, credentials()));
      const all = { auth: expect.stringMatching(/^Basic /), rhui: 'secret', certificate: 'first client' };
      expect(seen).toEqual([all, all]);
    });

    it('trusts another origin only through the system’s authorities, and verifies it', async () => {
      const there = await start(noting(ladder), tls());
      const here = await start((_, response) => response.writeHead(302, { Location: `${there.url}/0` }).end(), tls());
      await expect(failureOf(open(here.url, credentials()))).resolves.toMatchObject({ code: 'TLS_FAILED' });
      await expect(failureOf(open(here.url, { ...credentials(), verifyServer: false }))).resolves.toMatchObject({
        code: 'TLS_FAILED',
      });
      expect(seen).toEqual([]);
    });

    it('sends them to no other origin', async () => {
      const there = await start((request, response) => response.end(JSON.stringify(request.headers)));
      const here = await start((_, response) => response.writeHead(302, { Location: `${there.url}/0` }).end());
      const { body } = await collect(open(here.url.replace('//', '//me:secret@'), { ...credentials() }));
      expect(here.requests[0]?.headers).toMatchObject({ authorization: expect.any(String), 'x-rhui-id': 'secret' });
      expect(body.toString()).not.toMatch(/authorization|rhui|secret/i);
    });

    it('sends those of a Location to its own URL only', async () => {
      const there = await start((request, response) => response.end(request.headers.authorization ?? 'none'));
      const here = await start((_, response) =>
        response.writeHead(302, { Location: there.url.replace('//', '//you:theirs@') }).end(),
      );
      const { body } = await collect(open(here.url, credentials()));
      expect(body.toString()).toBe(`Basic ${Buffer.from('you:theirs').toString('base64')}`);
    });

    it('is not followed from https down to http', async () => {
      const there = await start(ladder);
      const here = await start((_, response) => response.writeHead(302, { Location: `${there.url}/0` }).end(), tls());
      const error = await failureOf(open(here.url, credentials()));
      expect(error).toMatchObject({ code: 'TOO_MANY_REDIRECTS' });
      expect(error.message).toContain('a redirect from https: to http:, which is not followed');
      expect(there.requests).toHaveLength(0);
    });
  });
});
