import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeApt } from '../support/apt.ts';
import { createCertificates } from '../support/certificates.ts';
import { askWhole, readWhole } from '../support/clients.ts';
import { makeDnf } from '../support/dnf.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { askThrough } from '../support/proxied.ts';
import {
  builtFiles,
  DEB_TOOLS,
  itNeeding,
  makeFlatRepository,
  makeSuiteRepository,
  makeYumRepository,
  YUM_TOOLS,
} from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds, serveFolder } from '../support/site-feeds.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const BEAR = { name: 'bear', version: '4.1', size: 2_000 };

/** What apt reads must be listed, too. */
const DEBIAN = { compressions: ['plain', 'gz'] } as const;

const sums = (files: readonly { readonly path: string; readonly sha256: string }[], suffix: RegExp) =>
  files
    .filter(({ path }) => suffix.test(path))
    .map(({ sha256 }) => sha256)
    .sort();

/** A feed of folders, and a streamer that is the proxy of its clients. */
const open = async (
  make: (root: string) => void,
  settings: (host: string) => Readonly<Record<string, string | number>>,
) => {
  const root = folder();
  make(root);
  const feed = await startFeed(serveFolder(root));
  const host = new URL(feed.url).host;
  const site = makeSite(start, folder(), { attempts: 1, proxy: 'yes', ...settings(host) });
  const daemon = await site.serve();
  return { site, daemon, feed, host, asked: (path: string) => feed.requests.filter(({ url }) => url === path).length };
};

const makeFiles = (root: string) => {
  for (const folder of ['repodata', 'other-repodata']) {
    mkdirSync(join(root, folder));
    writeFileSync(join(root, folder, 'repomd.xml'), '<repomd/>');
  }
  mkdirSync(join(root, 'plain'));
  writeFileSync(join(root, 'plain/file.txt'), 'plain');
};

describe('As the proxy of its clients', () => {
  for (const workers of [1, 2])
    itNeeding(DEB_TOOLS)(
      `the streamer keeps a package once that apt asks several mirrors for, with ${workers} worker(s)`,
      async () => {
        let made: ReturnType<typeof makeSuiteRepository> = [];
        const { site, daemon, feed, asked } = await open(
          (root) => {
            made = makeSuiteRepository(join(root, 'debian'), [BEAR], DEBIAN);
          },
          () => ({ workers, proxy_hosts: 'deb.example/debian=/debian, ftp.*.deb.example/pub/os=/debian' }),
        );
        await site.run('catalog', 'follow', 'deb', `${feed.url}/debian/`, '--prefix', '/debian');
        for (const mirror of ['deb.example/debian', 'ftp.de.deb.example/pub/os']) {
          const apt = makeApt(start, folder(), `http://${mirror}`, 'stable', ['deb'], daemon.url);
          await apt.update();
          expect(sums(await apt.download(join(folder(), 'd'), ['bear']), /\.deb$/)).toEqual(sums(made, /\.deb$/));
        }
        const [path = ''] = made.map((one) => one.path).filter((one) => one.endsWith('.deb'));
        expect(asked(`/debian/${path}`)).toBe(1);
        expect(JSON.parse(await site.run('catalog', 'list', '--json'))).toMatchObject([{ prefix: '/debian' }]);
      },
    );

  itNeeding([...DEB_TOOLS, ...YUM_TOOLS, 'dnf'])('it follows the repositories of a host at first sight', async () => {
    const made = new Map<string, readonly { readonly path: string; readonly sha256: string }[]>();
    const { site, daemon, feed, host } = await open(
      (root) => {
        made.set('debian', makeSuiteRepository(join(root, 'some/debian'), [BEAR], DEBIAN));
        made.set('flat', makeFlatRepository(join(root, 'flat'), [{ ...BEAR, name: 'crow' }]));
        mkdirSync(join(root, 'el'));
        made.set('yum', makeYumRepository(join(root, 'el/9'), [BEAR]));
      },
      (host) => ({ follow_hosts: host }),
    );
    const apt = makeApt(start, folder(), `${feed.url}/some/debian`, 'stable', ['deb'], daemon.url);
    await apt.update();
    expect(sums(await apt.download(join(folder(), 'd'), ['bear']), /\.deb$/)).toEqual(
      sums(made.get('debian') ?? [], /\.deb$/),
    );
    const flat = makeApt(start, folder(), `${feed.url}/flat`, './', ['deb'], daemon.url);
    await flat.update();
    await flat.download(join(folder(), 'd'), ['crow']);
    const dnf = makeDnf(start, folder(), `${feed.url}/el/9`, daemon.url);
    const into = join(folder(), 'd');
    await dnf.run('download', `--destdir=${into}`, 'bear');
    expect(sums(builtFiles(into), /\.rpm$/)).toEqual(sums(made.get('yum') ?? [], /\.rpm$/));
    expect(JSON.parse(await site.run('catalog', 'list', '--json'))).toMatchObject([
      { prefix: `/${host}/el/9`, format: 'yum', follows: true, packages: 1 },
      { prefix: `/${host}/flat`, format: 'deb', follows: true, packages: 1 },
      { prefix: `/${host}/some/debian`, format: 'deb', follows: true, packages: 1 },
    ]);
    // What was followed through the proxy is there without it, also after a restart.
    await daemon.stop();
    const again = await site.serve();
    const direct = makeDnf(start, folder(), `${again.url}/${host}/el/9`);
    await direct.run('download', `--destdir=${join(folder(), 'd')}`, 'bear');
  });

  itNeeding(DEB_TOOLS)('it asks no host for a view of what it follows', async () => {
    const { site, daemon, feed, host } = await open(
      (root) => makeSuiteRepository(join(root, 'debian'), [BEAR], DEBIAN),
      (host) => ({ follow_hosts: host, keep_revisions: '30d' }),
    );
    const release = (view: string) => askWhole(`${daemon.url}/${host}/debian${view}/dists/stable/Release`);
    const { sha256 } = await release('');
    await daemon.logged('repository refreshed');
    await site.run('catalog', 'label', `/${host}/debian`, 'prod');
    for (const view of ['@latest', '@prod']) expect((await release(view)).sha256).toBe(sha256);
    const { status, body } = await release('@2020-02-29');
    expect([status, body.toString()]).toEqual([404, expect.stringContaining('no revision of that time is kept')]);
    expect(feed.requests.filter(({ url }) => /@|%40/.test(url ?? ''))).toEqual([]);
  });

  it('it adds nothing that the host does not have, and serves other files as they are', async () => {
    const { site, daemon, feed } = await open(makeFiles, (host) => ({ follow_hosts: host }));
    const get = async (path: string) => readWhole(await askThrough(daemon.url, `${feed.url}${path}`));
    expect((await get('/a/dists/stable/InRelease')).status).toBe(404);
    expect((await get('/b/repodata/repomd.xml')).status).toBe(404);
    // Its name only ends like that of metadata: it makes no repository of the whole host.
    expect((await get('/other-repodata/repomd.xml')).status).toBe(200);
    expect(await get('/plain/file.txt')).toMatchObject({ status: 200, body: Buffer.from('plain') });
    expect(JSON.parse(await site.run('catalog', 'list', '--json'))).toEqual([]);
  });

  it('it follows a folder whose name has characters of URLs, and none whose name has control characters', async () => {
    const make = (root: string) => {
      for (const name of ['a?b%2F', 'c\nd']) {
        mkdirSync(join(root, name, 'repodata'), { recursive: true });
        writeFileSync(join(root, name, 'repodata/repomd.xml'), '<repomd></repomd>');
      }
    };
    const { site, daemon, feed } = await open(make, (host) => ({ follow_hosts: host }));
    const get = async (path: string) => readWhole(await askThrough(daemon.url, `${feed.url}${path}`));
    expect(await get('/a%3Fb%252F/repodata/repomd.xml')).toMatchObject({
      status: 200,
      body: Buffer.from('<repomd></repomd>'),
    });
    expect((await get('/c%0Ad/repodata/repomd.xml')).status).toBe(404);
    // As it is written the path is looked up first: it could be that of a file.
    const asked = feed.requests.map(({ url = '' }) => url);
    expect(asked).toContain('/a%3Fb%252F/repodata/repomd.xml.asc');
    expect(
      asked.filter((url) => !/^\/(a%3Fb%252F|a%253Fb%25252F|c%250Ad)\/repodata\/repomd\.xml(\.\w+)?$/.test(url)),
    ).toEqual([]);
    expect(JSON.parse(await site.run('catalog', 'list', '--json'))).toMatchObject([
      { prefix: expect.stringMatching(/\/a\?b%2F$/), feed: `${feed.url}/a%3Fb%252F/` },
    ]);
  });

  it('it refuses other hosts, and says why', async () => {
    const { daemon } = await open(makeFiles, () => ({ proxy_hosts: 'deb.example/debian=/debian' }));
    const { status, body } = await readWhole(await askThrough(daemon.url, 'http://other.example/x'));
    expect(status).toBe(403);
    expect(body.toString()).toContain('proxy_hosts, follow_hosts');
    await daemon.logged('request', {
      error: 'other.example/x is not served: expected a host of proxy_hosts or follow_hosts',
    });
  });
});

describe('CONNECT', () => {
  const openTunnels = (feed: string) =>
    makeSite(start, folder(), { proxy: 'yes', proxy_connect: `localhost:${new URL(feed).port}` }).serve();

  itNeeding(['curl'])('reaches listed servers, with what is bound to TLS passed as it is', async () => {
    const certificates = await createCertificates();
    const feed = await startFeed((_, response) => response.end('secret'), {
      key: certificates.server.key,
      cert: certificates.server.cert,
    });
    const daemon = await openTunnels(feed.url);
    const port = new URL(feed.url).port;
    const curl = (url: string) => start('curl', ['-sSkx', daemon.url, url]).ended;
    expect((await curl(`https://localhost:${port}/x`)).stdout.toString()).toBe('secret');
    await daemon.logged('request', { method: 'CONNECT', path: `localhost:${port}`, status: 200, outcome: 'complete' });
    const other = await curl(`https://127.0.0.1:${port}/x`);
    expect(other.status).not.toBe(0);
    expect(other.stderr.toString()).toContain('403');
    await daemon.logged('request', {
      error: `a tunnel to 127.0.0.1:${port} is not permitted: expected a server of proxy_connect`,
    });
    expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
  });

  it('is answered with 502 if the server cannot be reached, and both ends end together', async () => {
    const gone = await startFeed((_, response) => response.end());
    const daemon = await openTunnels(gone.url);
    const port = new URL(gone.url).port;
    await gone.close();
    const [response] = await once(
      request(daemon.url, { agent: false, method: 'CONNECT', path: `localhost:${port}` }).end(),
      'connect',
    );
    expect(response.statusCode).toBe(502);
    await daemon.logged('request', { error: /localhost:\d+.*ECONNREFUSED/ });
  });
});
