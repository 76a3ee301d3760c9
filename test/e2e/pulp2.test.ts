import { mkdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { filter, firstValueFrom } from 'rxjs';
import { type Certificates, createCertificates } from '../support/certificates.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { startOn, type TestFeed } from '../support/feeds.ts';
import { forwardProxy } from '../support/forward-proxy.ts';
import { describeMongo, mongodb, serverName } from '../support/mongodb.ts';
import { type PulpSite, startPulpSite } from '../support/pulp-site.ts';
import type { Pulp2, UnitKey } from '../support/pulp2/pulp2.ts';
import { makeFilesRepository } from '../support/repositories.ts';
import { closedFeeds, demanding } from '../support/site-feeds.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { until } from '../support/until.ts';

const CONTENT = someBytes(100_000);
const serve: RequestListener = (_, response) =>
  response.writeHead(200, { 'Content-Length': CONTENT.length }).end(CONTENT);
const refuse: RequestListener = (_, response) => response.writeHead(500).end('no');
const newFolder = temporaryFolders();
const startFeed = closedFeeds();

/** What a client gets. */
const get = async (url: string) => {
  const response = await fetch(url, { signal: AbortSignal.timeout(20_000) });
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, whole: body.equals(CONTENT), body };
};

describeMongo(`a site of Pulp 2’s (${serverName})`, () => {
  const mongo = mongodb();
  let made: Certificates;
  let pulp: Pulp2;
  let site: PulpSite;
  beforeAll(async () => {
    made = await createCertificates();
    const server = await mongo.server();
    const database = await mongo.database(server);
    pulp = database.pulp;
    site = await startPulpSite(newFolder(), server, database.name, ['idle_timeout: 1s']);
  });
  afterAll(() => site.daemon.stop());

  let packages = 0;
  const newKey = (): UnitKey => ({
    name: `bear-${++packages}`,
    epoch: '0',
    version: '4.1',
    release: '1',
    arch: 'noarch',
    checksumtype: 'sha256',
    checksum: digestOf(CONTENT),
  });

  interface Known {
    readonly url: string;
    readonly importer?: object | string;
    readonly unit?: string;
  }
  /** Catalogs a package as Pulp does: first come, oldest. Resolves to its path, importers and key. */
  const publish = async (...entries: readonly Known[]) => {
    const key = newKey();
    const path = await pulp.storagePath('rpm', key, 'bear.rpm');
    const unitId = await pulp.unit('rpm', key);
    const importers: string[] = [];
    for (const { url, importer = {}, unit = unitId } of entries) {
      const importerId = typeof importer === 'string' ? importer : await pulp.importer(importer);
      importers.push(importerId);
      await pulp.entry({
        path,
        importer_id: importerId,
        unit_id: unit,
        unit_type_id: 'rpm',
        url,
        checksum: digestOf(CONTENT),
        algorithm: 'sha256',
      });
    }
    return { path, key, importers };
  };
  const fetched = async (...entries: readonly Known[]) => get(site.url + (await publish(...entries)).path);
  /** Why the last request failed, as the log has it. */
  const reason = async (path: string) => {
    const line = () => site.log.findLast((one) => one.msg === 'request' && one.path === path);
    await until(() => line() !== undefined);
    return String(line()?.error);
  };

  it('has what it needs from the files that it has', async () => {
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

    it('of an unknown importer do no harm beside a good one', async () => {
      const feed = await startFeed(serve);
      const url = `${feed.url}/bear.rpm`;
      expect(await fetched({ url }, { url, importer: 'f'.repeat(24) })).toMatchObject({ status: 200, whole: true });
      const { path } = await publish({ url, importer: 'e'.repeat(24) });
      expect(await get(site.url + path)).toMatchObject({ status: 502 });
      expect(await reason(path)).toBe(`importer ${'e'.repeat(24)} is not in the catalog`);
    });

    it('of a missing unit do no harm beside a good one', async () => {
      const feed = await startFeed(serve);
      const url = `${feed.url}/bear.rpm`;
      expect(await fetched({ url }, { url, unit: 'missing' })).toMatchObject({ status: 200, whole: true });
      expect(await fetched({ url: `${feed.url}/alone`, unit: 'missing' })).toMatchObject({ status: 200, whole: true });
    });

    it('are asked for anew once one of them failed', async () => {
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

  describe('a feed with a certificate of its own', () => {
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

    it('and another host’s name in it is refused', async () => {
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

    it('gets none where the key is missing, which other feeds do not mind', async () => {
      const { ssl_client_key: _, ...half } = withBoth();
      const strict = await startFeed(serve, demanding(made));
      const { path } = await publish({ url: `${strict.url}/a`, importer: half });
      expect((await get(site.url + path)).status).toBe(502);
      expect(await reason(path)).toContain('demand');
      const relaxed = await startFeed(serve, made.server);
      expect(await fetched({ url: `${relaxed.url}/a`, importer: half })).toMatchObject({ status: 200, whole: true });
    });

    it('gets the new one with the next request after a change, and the old connection ends', async () => {
      const feed = await startFeed((request, response) => {
        response.setHeader('X-Client', (request.socket as TLSSocket).getPeerCertificate().subject.CN ?? '');
        serve(request, response);
      }, demanding(made));
      const { path, importers } = await publish({ url: `${feed.url}/a`, importer: withBoth() });
      const client = async () => (await get(site.url + path)).headers.get('x-client');
      expect(await client()).toBe('first client');
      const { cert, key } = made.otherClient;
      await pulp.changeImporter(importers[0]!, { ssl_client_cert: cert, ssl_client_key: key });
      expect(await client()).toBe('second client');
      expect(feed.connections.made).toBe(2);
      await until(() => feed.connections.open.size === 0);
    });

    it.each<[string, object, string]>([
      ['a CA that is no PEM', { ssl_ca_cert: 'nonsense' }, 'the CA text holds no PEM certificate'],
      [
        'a certificate and key that are no PEM',
        { ssl_client_cert: 'nonsense', ssl_client_key: 'nonsense' },
        'the client certificate and key cannot be used',
      ],
      ['a password for a port', { proxy_port: 's3cret' }, 'proxy_port'],
    ])('is one source that fails where the importer has %s, with a reason', async (_, config, text) => {
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
    // The other host's certificate is one that only the importer's CA vouches for: that CA does not go there either.
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

    it.each(['http', 'https'])('asks %s feeds through it, with and without a password', async (scheme) => {
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

      // Half of the credentials are none.
      const half = { ...guarded.config, proxy_username: user.username };
      const { path } = await publish({ url: `${feed.url}/a`, importer: half });
      expect((await get(site.url + path)).status).toBe(502);
      expect(await reason(path)).toContain('407');
    });
  });

  it('asks a feed for no more at a time than its importer allows', async () => {
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

  it('takes what an alternate source offers before the feed, as Pulp’s catalog has it', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'bear.rpm'), CONTENT);
    writeFileSync(
      join(site.sourcesDir, 'local.conf'),
      `[local]\nenabled: 1\ntype: files\nbase_url: file://${folder}/\n`,
    );
    site.daemon.streamer.alternates.reload();
    const feed = await startFeed(serve);
    const { path, key } = await publish({ url: `${feed.url}/bear.rpm` });
    const now = Math.floor(Date.now() / 1000);
    await pulp.offer('local', 'rpm', key, `file://${folder}/none.rpm`, now - 1);
    await pulp.offer('unknown', 'rpm', key, `file://${folder}/none.rpm`, now + 3600);
    await pulp.offer('local', 'rpm', key, `file://${folder}/none.rpm`, now + 3600);
    await pulp.offer('local', 'rpm', key, `file://${folder}/bear.rpm`, now + 3600);
    expect(await get(site.url + path)).toMatchObject({ status: 200, whole: true });
    expect(feed.requests).toHaveLength(0);
  });

  it('catalogs by itself what an alternate source has, in Pulp’s own collection', async () => {
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'a', 'b.iso': 'b' });
    writeFileSync(join(site.sourcesDir, 'disk.conf'), `[disk]\nenabled: 1\ntype: files\nbase_url: file://${folder}/\n`);
    site.daemon.streamer.alternates.reload();
    const done = () => site.log.find(({ msg, source }) => msg === 'alternate source refreshed' && source === 'disk');
    await until(() => done() !== undefined);
    const key = { name: 'b.iso', checksum: digestOf(Buffer.from('b')), size: 1 };
    const path = await pulp.storagePath('iso', key, 'b.iso');
    const feed = await startFeed(serve);
    await pulp.entry({
      path,
      importer_id: await pulp.importer({}),
      unit_id: await pulp.unit('iso', key),
      unit_type_id: 'iso',
      url: `${feed.url}/b.iso`,
      checksum: key.checksum,
      algorithm: 'sha256',
    });
    expect((await get(site.url + path)).body.toString()).toBe('b');
    expect(feed.requests).toHaveLength(0);
    expect(site.daemon.streamer.catalog.refreshes.search('iso', {})).toEqual([]);
  });
});
