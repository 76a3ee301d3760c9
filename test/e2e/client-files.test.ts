import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { makeApt } from '../support/apt.ts';
import { askWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes, succeeded } from '../support/processes.ts';
import {
  builtFiles,
  DEB_TOOLS,
  itNeeding,
  makeFlatRepository,
  makeSuiteRepository,
  makeYumRepository,
  YUM_TOOLS,
} from '../support/repositories.ts';
import { SIGNING_TOOLS, signing, type TestKey } from '../support/signing.ts';
import { makeSite } from '../support/site.ts';
import { temporaryFolders as foldersOfFile } from '../support/temporary.ts';

const start = processes();
const folder = temporaryFolders();
const { makeKey, detached, inline } = signing(foldersOfFile());

/** A dnf that has only the files of one folder, and checks what it is told to. */
const makeDnf = () => {
  const home = folder();
  const repositories = join(home, 'repos');
  const file = join(repositories, 'one.repo');
  mkdirSync(repositories);
  writeFileSync(join(home, 'dnf.conf'), '[main]\ngpgcheck=1\n');
  const options = [
    ...[`--config=${join(home, 'dnf.conf')}`, `--installroot=${join(home, 'root')}`, '--releasever=1', '-y'],
    ...[`--setopt=reposdir=${repositories}`, '--setopt=varsdir=/dev/null', '--setopt=proxy='],
    ...['--disableplugin=*', '--enableplugin=download'],
  ];
  return {
    file,
    add: (url: string) => succeeded(start('curl', ['-fsSo', file, url])),
    start: (...args: string[]) => start('dnf', [...options, ...args]),
    download: async (...names: string[]) => {
      const into = join(folder(), 'downloaded');
      await succeeded(start('dnf', [...options, 'download', `--destdir=${into}`, ...names]));
      return builtFiles(into).map(({ sha256 }) => sha256);
    },
  };
};

const sumsOf = (files: readonly { readonly path: string; readonly sha256: string }[], suffix: string) =>
  files
    .filter(({ path }) => path.endsWith(suffix))
    .map(({ sha256 }) => sha256)
    .sort();

/** A signed yum repository. */
const makeSigned = (name: string, key: TestKey) => {
  const feed = join(folder(), name);
  const files = makeYumRepository(feed, [{ name, version: '1', size: 9 }]);
  const repomd = join(feed, 'repodata/repomd.xml');
  writeFileSync(`${repomd}.asc`, detached(readFileSync(repomd), [key]));
  return { feed, sums: sumsOf(files, '.rpm') };
};

describe('one curl', () => {
  itNeeding([...YUM_TOOLS, ...SIGNING_TOOLS, 'dnf', 'curl'])(
    'makes a machine a client of all signed yum repositories below a prefix',
    async () => {
      const [key, other] = [makeKey('Zoo <zoo@example.com>'), makeKey('Fox <fox@example.com>')];
      const site = makeSite(start, folder());
      const [base, extra] = [makeSigned('bear', key), makeSigned('cat', key)];
      await site.run('catalog', 'import', 'yum', base.feed, '--prefix', '/el9/base', '--keyring', key.keyring);
      await site.run('catalog', 'follow', 'yum', extra.feed, '--prefix', '/el9/extra os', '--keyring', key.armoured);
      const daemon = await site.serve();
      const dnf = makeDnf();
      await dnf.add(`${daemon.url}/el9/.repo`);
      expect((await dnf.download('bear', 'cat')).sort()).toEqual([...base.sums, ...extra.sums].sort());

      const printed = await site.run('client', '/el9', '--public-url', daemon.url);
      expect(printed).toBe((await askWhole(`${daemon.url}/el9/.repo`)).body.toString());

      // dnf compares the signatures with these keys alone.
      const stranger = makeDnf();
      writeFileSync(stranger.file, printed.replaceAll(/^gpgkey=.*$/gm, `gpgkey=file://${other.armoured}`));
      const refused = await stranger.start('download', 'bear').ended;
      expect(refused.status).not.toBe(0);
      expect(refused.stderr.toString()).toMatch(/sign|key/i);
      expect((await daemon.stop()).status).toBe(0);
    },
  );

  itNeeding([...DEB_TOOLS, ...SIGNING_TOOLS, 'apt-get', 'curl'])(
    'makes a machine a client of a signed suite and of a flat repository',
    async () => {
      const key = makeKey('Elk <elk@example.com>');
      const [suite, flat] = [join(folder(), 'suite'), join(folder(), 'flat')];
      const files = [
        ...makeSuiteRepository(suite, [{ name: 'bear', version: '1', size: 9 }], { compressions: ['plain', 'xz'] }),
        ...makeFlatRepository(flat, [{ name: 'cat', version: '1', size: 9 }]),
      ];
      const release = join(suite, 'dists/stable/Release');
      writeFileSync(join(suite, 'dists/stable/InRelease'), inline(readFileSync(release), [key]));
      writeFileSync(join(flat, 'Release.gpg'), detached(readFileSync(join(flat, 'Release')), [key]));
      const site = makeSite(start, folder());
      const keyring = ['--keyring', key.keyring];
      await site.run('catalog', 'import', 'deb', suite, '--prefix', '/deb/suite', '--suite', 'stable', ...keyring);
      await site.run('catalog', 'follow', 'deb', flat, '--prefix', '/deb/flat', '--suite', './', ...keyring);
      const daemon = await site.serve();

      const home = folder();
      const apt = makeApt(start, home, daemon.url, 'none');
      rmSync(join(home, 'etc/sources.list'));
      mkdirSync(join(home, 'etc/sources.list.d'));
      const file = join(home, 'etc/sources.list.d/deb.sources');
      await succeeded(start('curl', ['-fsSo', file, `${daemon.url}/deb/.sources`]));
      await apt.update();
      const downloaded = await apt.download(join(folder(), 'downloaded'), ['bear', 'cat']);
      expect(sumsOf(downloaded, '.deb')).toEqual(sumsOf(files, '.deb'));

      // apt compares the signatures with these keys alone.
      writeFileSync(
        file,
        readFileSync(file, 'utf8').replaceAll(/^Signed-By:\n(?: .*\n)+/gm, `Signed-By: ${makeKey('Fox').keyring}\n`),
      );
      await expect(apt.update()).rejects.toThrow('NO_PUBKEY');
      expect((await daemon.stop()).status).toBe(0);
    },
  );
});

describe('the daemon', () => {
  itNeeding([...YUM_TOOLS, ...DEB_TOOLS])('writes no file for what it has not, and says why', async () => {
    const site = makeSite(start, folder());
    const feed = folder();
    makeYumRepository(feed, [{ name: 'bear', version: '1', size: 9 }]);
    await site.run('catalog', 'import', 'yum', feed, '--prefix', '/y');
    await site.run('catalog', 'follow', 'deb', 'http://127.0.0.1:1/', '--prefix', '/d');
    const daemon = await site.serve();
    const status = async (path: string) => (await askWhole(`${daemon.url}${path}`)).status;
    expect(await Promise.all(['/y/.sources', '/y/.key', '/z/.repo', '/d/.repo'].map(status))).toEqual([
      404, 404, 404, 404,
    ]);
    await expect(site.run('client', '/d', '--public-url', daemon.url)).rejects.toThrow('no suite of /d is known yet');
    await expect(site.run('client', '/z', '--public-url', daemon.url)).rejects.toThrow('/z: no yum or deb repository');
    expect(await status('/d/.sources')).toBe(404);
    const file = await askWhole(`${daemon.url}/y/.repo`);
    expect(file.headers).toMatchObject({
      'cache-control': expect.stringContaining('no-store'),
      'content-type': 'text/plain; charset=utf-8',
    });
    expect(file.body.toString()).toBe(
      `# For dnf and yum: a file of /etc/yum.repos.d.\n\n[y]\nname=y\nbaseurl=${daemon.url}/y/\nenabled=1\n`,
    );
    expect((await daemon.stop()).status).toBe(0);
  });
});
