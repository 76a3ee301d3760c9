import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { filter, firstValueFrom, toArray } from 'rxjs';
import { createCertificates } from '../support/certificates.ts';
import { makeDnf } from '../support/dnf.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { builtFiles, itNeeding, makeYumRepository, YUM_TOOLS } from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds, credentialOptions, demanding, serveFolder } from '../support/site-feeds.ts';
import { startSquid } from '../support/squid.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const PREFIX = '/pulp/repos/zoo';
const PACKAGES = [
  { name: 'bear', version: '4.1', size: 2_000 },
  { name: 'cat', version: '1.0', size: 300_000 },
  { name: 'tiger+cub', version: '1.0~rc1', epoch: 2, size: 3 << 20 },
];
const NAMES = PACKAGES.map(({ name }) => name);

/** What an import reads of the metadata is kept, and the feed is not asked for it again. */
const READ_AT_IMPORT = ['primary.xml.gz', 'repomd.xml'];

const digestsOf = (files: readonly { readonly sha256: string }[]) => files.map(({ sha256 }) => sha256).sort();

/** Serves the files of a folder, packages with so many bytes a second. */
const slowly = (folder: string, perSecond: number): RequestListener => {
  const serve = serveFolder(folder);
  return (request, response) => {
    const path = request.url ?? '';
    if (!path.endsWith('.rpm')) return serve(request, response);
    const bytes = readFileSync(join(folder, decodeURIComponent(path)));
    response.writeHead(200, { 'Content-Length': bytes.length });
    let at = 0;
    const timer = setInterval(() => {
      response.write(bytes.subarray(at, at + perSecond / 20));
      at += perSecond / 20;
      if (at >= bytes.length) response.end();
    }, 50);
    return response.on('close', () => clearInterval(timer));
  };
};

/** Real packages behind a feed that demands a client certificate, imported, and the daemon. */
const openZoo = async () => {
  const repository = join(folder(), 'zoo');
  const files = makeYumRepository(repository, PACKAGES);
  const certificates = await createCertificates();
  const feed = await startFeed(serveFolder(repository), demanding(certificates));
  const site = makeSite(start, folder());
  const credentials = credentialOptions(folder(), certificates);
  await site.run('catalog', 'import', 'yum', `${feed.url}/`, '--prefix', PREFIX, ...credentials);
  const read = feed.requests.length;
  return {
    daemon: await site.serve(),
    packages: files.filter(({ path }) => path.endsWith('.rpm')),
    /** The number of the daemon's requests to the feed. */
    asked: () => feed.requests.length - read,
  };
};

describe('dnf', () => {
  const itWithDnf = itNeeding([...YUM_TOOLS, 'dnf', 'rpm']);

  itWithDnf('downloads from a feed that demands a client certificate, and again from the saved copies', async () => {
    const { asked, daemon, packages } = await openZoo();
    const home = folder();
    const dnf = makeDnf(start, home, daemon.url + PREFIX);
    const download = async (name: string) => {
      await dnf.run('download', `--destdir=${join(home, name)}`, ...NAMES);
      return digestsOf(builtFiles(join(home, name)));
    };

    expect(await download('first')).toEqual(digestsOf(packages));
    await daemon.logged('saved', {}, asked());
    const files = asked() + READ_AT_IMPORT.length;
    const first = await daemon.logged('request', {}, files);
    expect(first).toMatchObject(
      first.map(({ source }) => ({
        ...{ status: 200, outcome: 'complete' },
        ...(source !== 'saved:metadata' && { recorded: true }),
      })),
    );
    const kept = first.filter(({ source }) => source === 'saved:metadata').map(({ path }) => String(path));
    expect(kept.map((path) => path.replace(/.*[/-]/, '')).sort()).toEqual(READ_AT_IMPORT);

    dnf.forget();
    expect(await download('second')).toEqual(digestsOf(packages));
    const second = (await daemon.logged('request', {}, 2 * files)).slice(files);
    expect(second).toMatchObject(second.map(() => ({ status: 200, source: expect.stringMatching(/^saved/) })));
    expect(second.map(({ path }) => path).sort()).toEqual(first.map(({ path }) => path).sort());
    expect(asked()).toBe(files - READ_AT_IMPORT.length);

    expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
  });

  itWithDnf('gets a small package of a slow feed, of which it wants to see progress', async () => {
    const repository = join(folder(), 'zoo');
    const files = makeYumRepository(repository, [{ name: 'snail', version: '1.0', size: 90_000 }]);
    const feed = await startFeed(slowly(repository, 20_000));
    const site = makeSite(start, folder());
    await site.run('catalog', 'import', 'yum', `${feed.url}/`, '--prefix', PREFIX);
    const daemon = await site.serve();
    const home = folder();
    // The package takes longer than dnf waits for a byte.
    const patience = ['--setopt=timeout=3', '--setopt=minrate=1000', '--setopt=retries=1'];
    await makeDnf(start, home, daemon.url + PREFIX).run('download', `--destdir=${home}/rpms`, ...patience, 'snail');
    const packages = files.filter(({ path }) => path.endsWith('.rpm'));
    expect(digestsOf(builtFiles(join(home, 'rpms')))).toEqual(digestsOf(packages));
    expect((await daemon.stop()).status).toBe(0);
  });

  const itWithSquid = itNeeding([...YUM_TOOLS, 'dnf', 'rpm', 'squid']);

  itWithSquid('downloads through Squid, and again from Squid’s cache', async () => {
    const { daemon, packages } = await openZoo();
    const squid = await startSquid(start, folder(), daemon.url);
    const home = folder();
    const download = async (name: string) => {
      const dnf = makeDnf(start, join(home, name), squid.url + PREFIX);
      await dnf.run('download', `--destdir=${join(home, name, 'rpms')}`, ...NAMES);
      return digestsOf(builtFiles(join(home, name, 'rpms')));
    };

    expect(await download('first')).toEqual(digestsOf(packages));
    expect(await download('second')).toEqual(digestsOf(packages));
    expect((await daemon.stop()).status).toBe(0);
    // Squid had everything except repomd.xml, which dnf requests again (`Cache-Control: no-cache`).
    const requests = await firstValueFrom(
      daemon.log.pipe(
        filter(({ msg }) => msg === 'request'),
        toArray(),
      ),
    );
    const paths = requests.map(({ path }) => path);
    const twice = paths.filter((path, index) => paths.indexOf(path) !== index);
    expect(requests).toMatchObject(requests.map(() => ({ status: 200, outcome: 'complete' })));
    expect(paths.filter((path) => /\.rpm$/.test(String(path)))).toHaveLength(packages.length);
    expect(twice).toEqual([`${PREFIX}/repodata/repomd.xml`]);
  });

  const itAsRoot = process.getuid?.() === 0 ? itWithDnf : itNeeding(['the rights of root']);

  itAsRoot('installs from a feed that demands a client certificate', async () => {
    const { daemon, packages } = await openZoo();
    const dnf = makeDnf(start, folder(), daemon.url + PREFIX);
    await dnf.run('install', ...NAMES);
    expect(digestsOf(dnf.cached())).toEqual(digestsOf(packages));
    for (const { name, size } of PACKAGES) {
      expect(dnf.installed(`usr/share/${name}/payload`).size).toBe(size);
    }
    expect((await daemon.stop()).status).toBe(0);
  });
});
