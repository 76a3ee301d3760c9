import { mkdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { filter, firstValueFrom } from 'rxjs';
import { type Certificates, createCertificates } from '../support/certificates.ts';
import { someBytes } from '../support/collect.ts';
import { startOn, type TestFeed } from '../support/feeds.ts';
import { forwardProxy } from '../support/forward-proxy.ts';
import { describeMongo, type MongoServer, mongodb, serverName } from '../support/mongodb.ts';
import { processes, succeeded } from '../support/processes.ts';
import { type PulpSite, startPulpSite } from '../support/pulp-site.ts';
import { type Known, packagesIn } from '../support/pulp2/packages.ts';
import type { Pulp2 } from '../support/pulp2/pulp2.ts';
import { dial } from '../support/raw-http.ts';
import { pulpStreamer } from '../support/site.ts';
import { closedFeeds, demanding } from '../support/site-feeds.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { until } from '../support/until.ts';

const CONTENT = someBytes(100_000);
const serve: RequestListener = (_, response) =>
  response.writeHead(200, { 'Content-Length': CONTENT.length }).end(CONTENT);
const refuse: RequestListener = (_, response) => response.writeHead(500).end('no');
const newFolder = temporaryFolders();
const startFeed = closedFeeds();
const start = processes();

/** The response that a client receives. */
const get = async (url: string) => {
  const response = await fetch(url, { signal: AbortSignal.timeout(20_000) });
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, whole: body.equals(CONTENT), body };
};

describeMongo(`a site of Pulp 2’s (${serverName})`, () => {
  const mongo = mongodb();
  let made: Certificates;
  let server: MongoServer;
  let name: string;
  let pulp: Pulp2;
  let site: PulpSite;
  let publish: ReturnType<typeof packagesIn>;
  beforeAll(async () => {
    made = await createCertificates();
    server = await mongo.server();
    ({ name, pulp } = await mongo.database(server));
    publish = packagesIn(pulp, CONTENT);
    site = await startPulpSite(newFolder(), server, name, ['idle_timeout: 1s', 'dispatch: deferred']);
  });
  afterAll(() => site.daemon.stop());

  /** What Pulp is asked to save of a unit. */
  const recordsOf = async (unit: string) => {
    const client = new MongoClient(server.url);
    const records = client.db(name).collection('deferred_download').find({ unit_id: unit });
    return records.toArray().finally(() => client.close());
  };

  const fetched = async (...entries: readonly Known[]) => get(site.url + (await publish(...entries)).path);
  /** The reason of the last failed request, from the log. */
  const reason = async (path: string) => {
    const line = () => site.log.findLast((one) => one.msg === 'request' && one.path === path);
    await until(() => line() !== undefined);
    return String(line()?.error);
  };

  it('starts from the files of such a site', async () => {
    expect(await firstValueFrom(site.daemon.streamer.ready.pipe(filter((ready) => ready)))).toBe(true);
    const feed = await startFeed(serve);
    const { status, whole, headers } = await fetched({ url: `${feed.url}/bear.rpm` });
    expect([status, whole, headers.get('cache-control')]).toEqual([200, true, 'public, s-maxage=86400, max-age=86400']);
    expect((await get(`${site.url}/var/lib/pulp/content/unknown`)).status).toBe(404);
  });

  describe('entries', () => {
    it('are tried newest first until one works', async () => {
      const feed = await startFeed((request, response) =>
        (request.url === '/newest' ? refuse : serve)(request, response),
      );
      const at = (name: string) => ({ url: `${feed.url}/${name}` });
      expect(await fetched(at('oldest'), at('middle'), at('newest'))).toMatchObject({ status: 200, whole: true });
      expect(feed.requests.map(({ url }) => url)).toEqual(['/newest', '/middle']);
    });

    it('of an unknown importer are skipped if there is a good one', async () => {
      const feed = await startFeed(serve);
      const url = `${feed.url}/bear.rpm`;
      expect(await fetched({ url }, { url, importer: 'f'.repeat(24) })).toMatchObject({ status: 200, whole: true });
      const { path } = await publish({ url, importer: 'e'.repeat(24) });
      expect(await get(site.url + path)).toMatchObject({ status: 502 });
      expect(await reason(path)).toBe(`importer ${'e'.repeat(24)} is not in the catalog`);
    });

    it('of a missing unit are skipped if there is a good one', async () => {
      const feed = await startFeed(serve);
      const url = `${feed.url}/bear.rpm`;
      expect(await fetched({ url }, { url, unit: 'missing' })).toMatchObject({ status: 200, whole: true });
      expect(await fetched({ url: `${feed.url}/alone`, unit: 'missing' })).toMatchObject({ status: 200, whole: true });
    });

    it('of a missing unit come last, are named, and leave no record', async () => {
      const feed = await startFeed(serve);
      const at = (name: string) => `${feed.url}/${name}`;
      const { path } = await publish({ url: at('good') }, { url: at('orphan'), unit: 'orphan' });
      expect(await get(site.url + path)).toMatchObject({ status: 200, whole: true });
      expect(await get(site.url + path)).toMatchObject({ status: 200, whole: true });
      expect(feed.requests.map(({ url }) => url)).toEqual(['/good', '/good']);
      const named = site.log.filter(({ unit }) => unit === 'orphan');
      expect(named).toMatchObject([
        { level: 40, path, type: 'rpm', msg: 'entry has no unit, tried last and not saved' },
      ]);

      const found = await firstValueFrom(site.daemon.streamer.explain(path));
      expect(found.map(({ url, entry }) => [url, entry.unitMissing])).toEqual([
        [at('good'), undefined],
        [at('orphan'), true],
      ]);
      const alone = await publish({ url: at('alone'), unit: 'orphan' });
      expect(await get(site.url + alone.path)).toMatchObject({ status: 200, whole: true });
      await until(() => site.log.some(({ msg, unit }) => msg === 'save request dropped' && unit === 'orphan'));
      expect(await recordsOf('orphan')).toEqual([]);
      const explained = await succeeded(
        pulpStreamer(start, 'explain', alone.path, ...site.configs.flatMap((file) => ['--config', file])),
      );
      expect(explained.stdout.toString()).toContain('unit rpm orphan is not in Pulp’s database');
    });

    it('are found by the target as it stands there first', async () => {
      const feed = await startFeed((request, response) => response.end(request.url));
      const folder = '/var/lib/pulp/content/units/rpm/76/awkward';
      const importer_id = await pulp.importer({});
      const names = ['a+b', 'a%2Bb', 'c;d', 'é', '%C3%A9', '100%'];
      for (const [index, name] of names.entries()) {
        await pulp.unitOf('rpm', name);
        const unit = { unit_id: name, unit_type_id: 'rpm' };
        await pulp.entry({ path: `${folder}/${name}`, importer_id, ...unit, url: `${feed.url}/${index}` });
      }
      const port = Number(new URL(site.url).port);
      const bodyOf = async (target: string) => {
        const client = dial(port);
        const head = `GET ${folder}/${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`;
        await client.send(Buffer.from(head).toString('latin1'));
        await client.ended;
        return client.received().split('\r\n\r\n')[1];
      };
      for (const [target, index] of [
        ['a+b', 0],
        ['a%2Bb', 1],
        ['a%252Bb', 1],
        ['c;d', 2],
        ['c%3Bd', 2],
        ['é', 3],
        ['%C3%A9', 4],
        ['%c3%a9', 3],
        ['100%', 5],
        ['100%25', 5],
      ] as const)
        expect([target, await bodyOf(target)]).toEqual([target, `/${index}`]);
    });

    it('are read again once one of them failed', async () => {
      const feed = await startFeed((request, response) =>
        (request.url === '/moved' ? refuse : serve)(request, response),
      );
      const { path, importers, key } = await publish({ url: `${feed.url}/moved` });
      expect((await get(site.url + path)).status).toBe(502);
      await pulp.removeEntries(path);
      await pulp.entry({
        path,
        importer_id: importers[0]!,
        unit_id: await pulp.unit('rpm', { ...key, name: 'moved' }),
        unit_type_id: 'rpm',
        url: `${feed.url}/here`,
      });
      expect(await get(site.url + path)).toMatchObject({ status: 200, whole: true });
    });
  });

  describe('a feed with a private certificate', () => {
    const entry = async (config: object) => {
      const feed = await startFeed(serve, made.selfSigned);
      return publish({ url: `${feed.url}/bear.rpm`, importer: config });
    };
    it.each<[string, () => object, boolean]>([
      ['no CA', () => ({}), false],
      ['the right CA', () => ({ ssl_ca_cert: made.selfSigned.cert }), true],
      ['a wrong CA', () => ({ ssl_ca_cert: made.stranger.cert }), false],
      ['validation off', () => ({ ssl_validation: false }), true],
      ['validation off and a wrong CA', () => ({ ssl_validation: false, ssl_ca_cert: made.stranger.cert }), true],
    ])('and %s', async (_, config, good) => {
      const { path } = await entry(config());
      expect(await get(site.url + path)).toMatchObject(good ? { status: 200, whole: true } : { status: 502 });
      if (!good) expect(await reason(path)).toContain('certificate');
    });

    it('for another host name is refused', async () => {
      const feed = await startFeed(serve, made.elsewhere);
      const { path } = await publish({ url: `${feed.url}/bear.rpm`, importer: { ssl_ca_cert: made.authority.cert } });
      expect((await get(site.url + path)).status).toBe(502);
      expect(await reason(path)).toContain('another host name');
    });
  });

  describe('a feed that demands a client certificate', () => {
    const withBoth = () => ({
      ssl_ca_cert: made.authority.cert,
      ssl_client_cert: made.client.cert,
      ssl_client_key: made.client.key,
    });

    it('gets the one of the configuration', async () => {
      const feed = await startFeed(serve, demanding(made));
      expect(await fetched({ url: `${feed.url}/a`, importer: withBoth() })).toMatchObject({ status: 200, whole: true });
    });

    it('gets the one of the pki folder', async () => {
      const feed = await startFeed(serve, demanding(made));
      const folder = join(site.storageDir, 'importers/kept-yum_importer/pki');
      mkdirSync(folder, { recursive: true });
      const files = { 'ca.crt': made.authority.cert, 'client.crt': made.client.cert, 'client.key': made.client.key };
      for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
      const names = { ssl_ca_cert: 'x', ssl_client_cert: 'x', ssl_client_key: 'x' };
      const importer = await pulp.importer(names, 'kept');
      expect(await fetched({ url: `${feed.url}/a`, importer })).toMatchObject({ status: 200, whole: true });
    });

    it('gets none if the key is missing, which affects no other feed', async () => {
      const { ssl_client_key: _, ...half } = withBoth();
      const strict = await startFeed(serve, demanding(made));
      const { path } = await publish({ url: `${strict.url}/a`, importer: half });
      expect((await get(site.url + path)).status).toBe(502);
      expect(await reason(path)).toContain('demand');
      const relaxed = await startFeed(serve, made.server);
      expect(await fetched({ url: `${relaxed.url}/a`, importer: half })).toMatchObject({ status: 200, whole: true });
    });

    it('gets the new one with the next request after a change, while transfers on the old connection complete', async () => {
      const go = Promise.withResolvers<void>();
      let held = false;
      const feed = await startFeed(async (request, response) => {
        response.setHeader('X-Client', (request.socket as TLSSocket).getPeerCertificate().subject.CN ?? '');
        if (request.url === '/slow') {
          held = true;
          await go.promise;
        }
        serve(request, response);
      }, demanding(made));
      const { importers, path } = await publish({ url: `${feed.url}/a`, importer: withBoth() });
      const [importer = ''] = importers;
      const slow = fetched({ url: `${feed.url}/slow`, importer });
      await until(() => held);
      const client = async () => (await get(site.url + path)).headers.get('x-client');
      expect(await client()).toBe('first client');
      const { cert, key } = made.otherClient;
      await pulp.changeImporter(importer, { ssl_client_cert: cert, ssl_client_key: key });
      expect(await client()).toBe('second client');
      go.resolve();
      const old = await slow;
      expect([old.status, old.whole, old.headers.get('x-client')]).toEqual([200, true, 'first client']);
      await until(() => feed.connections.open.size === 0);
    });

    it('causes one warning in the log if a certificate expires soon', async () => {
      const feed = await startFeed(serve, demanding(made));
      const tenDays = new Date(Date.now() + 10 * 86_400_000);
      const { cert, key } = await made.authority.client('soon over', { notBefore: new Date(0), notAfter: tenDays });
      const importer = await pulp.importer({ ...withBoth(), ssl_client_cert: cert, ssl_client_key: key });
      for (const name of ['a', 'b'])
        expect(await fetched({ url: `${feed.url}/${name}`, importer })).toMatchObject({ status: 200, whole: true });
      expect(site.log.filter(({ subject }) => subject === 'CN=soon over')).toMatchObject([
        { msg: 'certificate expires soon', level: 40, importerId: importer, what: 'client certificate' },
      ]);
    });

    it.each<[string, object, string]>([
      ['a CA that is not PEM', { ssl_ca_cert: 'nonsense' }, 'the CA text holds no PEM certificate'],
      [
        'a certificate and key that are not PEM',
        { ssl_client_cert: 'nonsense', ssl_client_key: 'nonsense' },
        'the client certificate and key cannot be used',
      ],
      ['a password for a port', { proxy_port: 's3cret' }, 'proxy_port'],
    ])('fails as a source, with a reason, if the importer has %s', async (_, config, text) => {
      const feed = await startFeed(serve, made.server);
      const url = `${feed.url}/a`;
      const { path } = await publish({ url, importer: config });
      expect((await get(site.url + path)).status).toBe(502);
      expect(await reason(path)).toContain(text);
      const good = { ssl_ca_cert: made.authority.cert };
      expect(await fetched({ url, importer: good }, { url, importer: config })).toMatchObject({
        status: 200,
        whole: true,
      });
    });
  });

  it('sends no credentials to another host that a feed redirects to', async () => {
    const seen: (string | undefined)[] = [];
    const other = await startFeed(
      (request, response) => {
        seen.push(
          request.headers.authorization,
          (request.socket as TLSSocket).getPeerCertificate().subject?.CN?.toString(),
        );
        serve(request, response);
      },
      { ...demanding(made), rejectUnauthorized: false },
    );
    const feed = await startFeed(
      (request, response) => {
        seen.push(
          request.headers.authorization,
          (request.socket as TLSSocket).getPeerCertificate().subject?.CN?.toString(),
        );
        response.writeHead(302, { Location: `${other.url}/there` }).end();
      },
      { ...demanding(made), rejectUnauthorized: false },
    );
    const importer = {
      ssl_ca_cert: made.authority.cert,
      ssl_client_cert: made.client.cert,
      ssl_client_key: made.client.key,
      basic_auth_username: 'me',
      basic_auth_password: 's3cret',
    };
    // Only the importer's CA vouches for the other host's certificate; that CA is not used there
    // either.
    const { path } = await publish({ url: `${feed.url}/a`, importer });
    expect((await get(site.url + path)).status).toBe(502);
    expect(seen).toEqual([`Basic ${Buffer.from('me:s3cret').toString('base64')}`, 'first client']);

    const plain = await startFeed((request, response) => {
      seen.push(request.headers.authorization);
      serve(request, response);
    });
    const fromPlain = await startFeed((_, response) =>
      response.writeHead(302, { Location: `${plain.url}/there` }).end(),
    );
    expect(await fetched({ url: `${fromPlain.url}/a`, importer })).toMatchObject({ status: 200, whole: true });
    expect(seen.slice(2)).toEqual([undefined]);
    expect(fromPlain.requests[0]?.headers.authorization).toBeDefined();
  });

  describe('behind a proxy', () => {
    const started: TestFeed[] = [];
    afterEach(() => Promise.all(started.splice(0).map((one) => one.close())));
    const start = async (wanted?: { username: string; password: string }) => {
      const { server, asked } = forwardProxy(wanted);
      const { port, close, ...more } = await startOn(server);
      started.push({ port, close, ...more });
      return { asked, config: { proxy_host: '127.0.0.1', proxy_port: port, ssl_ca_cert: made.authority.cert } };
    };
    const user = { username: 'me', password: 's3cret' };

    it.each(['http', 'https'])('requests %s feeds through it, with and without a password', async (scheme) => {
      const feed = await startFeed(serve, scheme === 'https' ? made.server : undefined);
      const open = await start();
      expect(await fetched({ url: `${feed.url}/a`, importer: open.config })).toMatchObject({
        status: 200,
        whole: true,
      });
      expect(open.asked).toHaveLength(1);

      const guarded = await start(user);
      const known = { ...guarded.config, proxy_username: user.username, proxy_password: user.password };
      expect(await fetched({ url: `${feed.url}/a`, importer: known })).toMatchObject({ status: 200, whole: true });
      expect(guarded.asked).toEqual([scheme === 'https' ? `CONNECT 127.0.0.1:${feed.port}` : `GET ${feed.url}/a`]);

      // Half of a credential pair is ignored.
      const half = { ...guarded.config, proxy_username: user.username };
      const { path } = await publish({ url: `${feed.url}/a`, importer: half });
      expect((await get(site.url + path)).status).toBe(502);
      expect(await reason(path)).toContain('407');
    });
  });

  it('sends a feed no more requests at a time than its importer allows', async () => {
    let running = 0;
    let most = 0;
    const held: (() => void)[] = [];
    const feed = await startFeed((request, response) => {
      most = Math.max(most, ++running);
      held.push(() => {
        running -= 1;
        serve(request, response);
      });
    });
    const importer = await pulp.importer({ max_downloads: 1 });
    const all = ['a', 'b', 'c'].map((name) => fetched({ url: `${feed.url}/${name}`, importer }));
    for (let done = 0; done < all.length; done += 1) {
      await until(() => held.length > 0);
      held.shift()?.();
    }
    expect((await Promise.all(all)).map(({ whole }) => whole)).toEqual([true, true, true]);
    expect(most).toBe(1);
  });
});
