import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { filter, firstValueFrom, toArray } from 'rxjs';
import { makeApt } from '../support/apt.ts';
import { temporaryFolders } from '../support/folder.ts';
import { ownEnvironment, processes, succeeded } from '../support/processes.ts';
import { builtFiles, DEB_TOOLS, itNeeding } from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds, serveFolder } from '../support/site-feeds.ts';
import { addPackage, makeWholeSuite } from '../support/whole-suite.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const PREFIX = '/pulp/repos/debian';
const TOOLS = [...DEB_TOOLS, 'apt-get', 'dpkg-source'];

const openZoo = async (options?: { ghosts: number }) => {
  const repository = join(folder(), 'debian');
  const files = makeWholeSuite(repository, options);
  const feed = await startFeed(serveFolder(repository));
  const site = makeSite(start, folder(), { dispatch: 'none' });
  const synchronize = () => site.run('catalog', 'import', 'deb', `${feed.url}/`, '--prefix', PREFIX, '--suite', 'zoo');
  await synchronize();
  return { daemon: await site.serve(), files, repository, synchronize };
};

const partOf = (files: readonly { readonly path: string }[], pattern: RegExp) =>
  files.filter(({ path }) => pattern.test(path)).map((file) => ({ ...file, path: file.path.replace(/.*\//, '') }));

describe('Clients of a suite with more than packages', () => {
  itNeeding(TOOLS)('apt-get source gets and unpacks a source package', async () => {
    const { daemon, files } = await openZoo();
    const apt = makeApt(start, folder(), daemon.url + PREFIX, 'zoo', ['deb', 'deb-src']);
    await apt.update();
    const found = await apt.source(join(folder(), 'sources'), ['bear']);
    const source = /bear_.*\.(dsc|tar\.gz|tar\.xz)$/;
    expect(partOf(files, source)).toHaveLength(3);
    expect(partOf(found, source)).toEqual(partOf(files, source));
    expect(partOf(found, /bear-4\.1\/bear\.c$/)).toHaveLength(1);
  });

  itNeeding(TOOLS)('apt-get update patches its index', async () => {
    // apt takes patches only if they are smaller than the index.
    const { daemon, repository, synchronize } = await openZoo({ ghosts: 50 });
    const apt = makeApt(start, folder(), daemon.url + PREFIX, 'zoo');
    await apt.update();
    addPackage(repository);
    await synchronize();
    await apt.update();
    expect(await apt.knows('newcomer')).toBe(true);
    await daemon.stop();
    const requests = await firstValueFrom(
      daemon.log.pipe(
        filter(({ msg }) => msg === 'request'),
        toArray(),
      ),
    );
    const ofIndex = requests.filter(({ path, status }) => status === 200 && String(path).includes('/Packages'));
    expect(ofIndex.map(({ path }) => String(path).replace(/.*amd64\//, ''))).toEqual([
      'Packages.xz',
      'Packages.diff/Index',
      'Packages.diff/T-2020-01-01.gz',
    ]);
  });

  itNeeding([...TOOLS, 'debmirror'])('debmirror mirrors all of it', async () => {
    const { daemon, files } = await openZoo();
    const mirror = join(folder(), 'mirror');
    const { host } = new URL(daemon.url);
    const what = ['--dist=zoo', '--section=main', '--arch=amd64', '--source', '--i18n', '--getcontents', '--diff=none'];
    const images = ['--di-dist=zoo', '--di-arch=amd64'];
    const how = [
      '--method=http',
      '--no-check-gpg',
      '--ignore-release-gpg',
      '--rsync-extra=none',
      '--allow-dist-rename',
    ];
    await succeeded(
      start('debmirror', [`--host=${host}`, `--root=${PREFIX}`, ...what, ...images, ...how, mirror], {
        env: { ...ownEnvironment(), HOME: folder(), LC_ALL: 'C' },
      }),
    );
    const wanted = /^pool\/.*bear|mini\.iso$|Sources\.xz$|Packages\.xz$|Translation-en\.xz$|Contents-amd64\.gz$/;
    const mirrored = builtFiles(mirror).filter(({ path }) => wanted.test(path) && !path.startsWith('.temp/'));
    expect(mirrored).toEqual(files.filter(({ path }) => wanted.test(path)));
  });
});
