import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect } from '@jest/globals';
import { filter, firstValueFrom, toArray } from 'rxjs';
import { makeApt } from '../support/apt.ts';
import { createCertificates } from '../support/certificates.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { builtFiles, DEB_TOOLS, itNeeding, makeFlatRepository, makeSuiteRepository } from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds, credentialOptions, demanding, serveFolder } from '../support/site-feeds.ts';
import { startSquid } from '../support/squid.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const PREFIX = '/pulp/repos/debian';
const SUITE = 'zoo';
const PACKAGES = [
  { name: 'bear', version: '4.1', size: 2_000 },
  { name: 'cat', version: '1.0-1', size: 300_000 },
  { name: 'tiger', version: '2.0~rc1+b1', size: 3 << 20 },
];
const NAMES = PACKAGES.map(({ name }) => name);

const digestsOf = (files: readonly { readonly sha256: string }[]) => files.map(({ sha256 }) => sha256).sort();

/** Real packages behind a feed that demands a client certificate, imported, and the daemon. */
const openZoo = async (...more: readonly string[]) => {
  const repository = join(folder(), 'debian');
  for (const file of more) cpSync(file, join(repository, 'pool/main'), { recursive: true });
  const files = makeSuiteRepository(repository, PACKAGES, { suite: SUITE, compressions: ['plain', 'gz', 'xz'] });
  // As on Debian's mirrors: apt requires it to be listed, although no mirror keeps it.
  rmSync(join(repository, 'dists', SUITE, 'main/binary-amd64/Packages'));
  const certificates = await createCertificates();
  const feed = await startFeed(serveFolder(repository), demanding(certificates));
  const site = makeSite(start, folder());
  const credentials = credentialOptions(folder(), certificates);
  await site.run('catalog', 'import', 'deb', feed.url, '--prefix', PREFIX, '--suite', SUITE, ...credentials);
  const daemon = await site.serve();
  return {
    daemon,
    apt: makeApt(start, folder(), daemon.url + PREFIX, SUITE),
    packages: files.filter(({ path }) => path.endsWith('.deb')),
  };
};

/** A folder with one of Debian's packages, if this machine's apt can get one. */
const debian = mkdtempSync(join(tmpdir(), 'pulp-streamer-debian-'));
const hasDebian =
  spawnSync('apt-get', ['download', '-o', 'APT::Sandbox::User=', 'hostname'], { cwd: debian, timeout: 20_000 })
    .status === 0;
afterAll(() => rmSync(debian, { recursive: true }));

describe('apt-get', () => {
  const itWithApt = itNeeding([...DEB_TOOLS, 'apt-get']);

  itWithApt('downloads from a feed that demands a client certificate, and installs from the saved copies', async () => {
    const { apt, daemon, packages } = await openZoo();
    await apt.update();
    expect(digestsOf(await apt.download(join(folder(), 'debs'), NAMES))).toEqual(digestsOf(packages));
    await daemon.logged('saved', { path: /\.deb$/ }, packages.length);
    expect(digestsOf(await apt.install(NAMES))).toEqual(digestsOf(packages));

    const served = await daemon.logged('request', { path: /\.deb$/ }, 2 * packages.length);
    const common = { status: 200, outcome: 'complete', verified: 'sha256' };
    expect(served).toMatchObject([
      ...packages.map(() => ({ ...common, source: expect.stringMatching(/^feed:127\.0\.0\.1:/), recorded: true })),
      ...packages.map(() => ({ ...common, source: 'saved' })),
    ]);
    expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
  });

  const itWithSquid = itNeeding([...DEB_TOOLS, 'apt-get', 'squid']);

  itWithSquid('downloads through Squid, and again from Squid’s cache', async () => {
    const { daemon, packages } = await openZoo();
    const squid = await startSquid(start, folder(), daemon.url);
    const download = async () => {
      const apt = makeApt(start, folder(), squid.url + PREFIX, SUITE);
      await apt.update();
      return digestsOf(await apt.download(join(folder(), 'debs'), NAMES));
    };

    expect(await download()).toEqual(digestsOf(packages));
    expect(await download()).toEqual(digestsOf(packages));
    expect((await daemon.stop()).status).toBe(0);
    const requests = await firstValueFrom(
      daemon.log.pipe(
        filter(({ msg }) => msg === 'request'),
        toArray(),
      ),
    );
    const debs = requests.filter(({ path }) => /\.deb$/.test(String(path)));
    expect(debs).toMatchObject(packages.map(() => ({ status: 200, outcome: 'complete' })));
  });

  const itWithScan = itNeeding([...DEB_TOOLS, 'apt-get', 'dpkg-scanpackages']);

  itWithScan('installs from a flat repository that dpkg-scanpackages indexed', async () => {
    const repository = join(folder(), 'flat');
    const files = makeFlatRepository(repository, PACKAGES.slice(0, 2), { release: false, compressions: [] });
    const packages = spawnSync('dpkg-scanpackages', ['.'], { cwd: repository, encoding: 'utf8' }).stdout;
    expect(packages).toMatch(/^Filename: \.\//m);
    writeFileSync(join(repository, 'Packages'), packages);
    const feed = await startFeed(serveFolder(repository));
    const site = makeSite(start, folder());
    await site.run('catalog', 'import', 'deb', feed.url, '--prefix', '/flat');
    const daemon = await site.serve();
    const apt = makeApt(start, folder(), `${daemon.url}/flat`, './');
    await apt.update();
    expect(digestsOf(await apt.install(NAMES.slice(0, 2)))).toEqual(
      digestsOf(files.filter(({ path }) => path.endsWith('.deb'))),
    );
    expect(await daemon.logged('request', { path: '/flat/./Packages' })).toMatchObject([{ status: 200 }]);
  });

  const itWithDebian = hasDebian ? itWithApt : itNeeding(['a package that apt-get can download']);

  itWithDebian('downloads a package of Debian’s own', async () => {
    const { apt, packages } = await openZoo(debian);
    await apt.update();
    const [original] = builtFiles(debian);
    const [downloaded] = await apt.download(join(folder(), 'debs'), ['hostname']);
    expect(packages.length).toBe(PACKAGES.length + 1);
    expect(downloaded?.sha256).toBe(original?.sha256);
  });
});
