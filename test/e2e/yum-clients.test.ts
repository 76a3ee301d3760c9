import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { digestOf, someBytes } from '../support/collect.ts';
import { makeDnf } from '../support/dnf.ts';
import { temporaryFolders } from '../support/folder.ts';
import { ownEnvironment, processes, succeeded } from '../support/processes.ts';
import {
  type BuiltFile,
  builtFile,
  builtFiles,
  itNeeding,
  makeYumRepository,
  run,
  write,
  YUM_TOOLS,
} from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds, serveFolder } from '../support/site-feeds.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const PREFIX = '/pulp/repos/zoo';
const PACKAGES = [{ name: 'bear', version: '4.1', size: 2_000 }];
const COMPS = `<?xml version="1.0"?><comps><group><id>zoo</id><name>Zoo</name><description/><default>true</default>
  <uservisible>true</uservisible><packagelist><packagereq type="mandatory">bear</packagereq></packagelist></group></comps>`;
const UPDATES = `<?xml version="1.0"?><updates><update from="zoo" status="final" type="security" version="1"><id>ZOO-1</id>
  <title>bear</title><issued date="2020-01-01 00:00:00"/><pkglist/></update></updates>`;

/** An installable tree with further metadata, in zchunk as well, and an add-on inside. */
const makeTree = (base: string): void => {
  makeYumRepository(join(base, 'addons/Cubs'), [{ name: 'cub', version: '1', size: 3_000 }]);
  write(join(base, 'comps.xml'), COMPS);
  write(join(base, 'updateinfo.xml'), UPDATES);
  makeYumRepository(base, PACKAGES);
  run('createrepo_c', ['--quiet', '--no-database', '--zck', '--groupfile=comps.xml', '--excludes=addons/*', '.'], base);
  run('modifyrepo_c', ['updateinfo.xml', 'repodata'], base);
  const images = ['images/boot.iso', 'images/pxeboot/vmlinuz', 'images/pxeboot/initrd.img'];
  for (const image of images) write(join(base, image), someBytes(40_000));
  const [iso, kernel, initrd] = images.map((path) => builtFile(base, path)) as [BuiltFile, BuiltFile, BuiltFile];
  const sums = [iso, kernel].map(({ path, sha256 }) => `${path} = sha256:${sha256}\n`).join('');
  writeFileSync(
    join(base, '.treeinfo'),
    `[general]\nfamily = Zoo\nversion = 1\narch = x86_64\n\n[checksums]\n${sums}\n` +
      `[images-x86_64]\nkernel = ${kernel.path}\ninitrd = ${initrd.path}\nboot.iso = ${iso.path}\n\n` +
      '[addon-Cubs]\nrepository = addons/Cubs\n',
  );
};

const openTree = async () => {
  const repository = join(folder(), 'tree');
  makeTree(repository);
  const feed = await startFeed(serveFolder(repository));
  const site = makeSite(start, folder(), { dispatch: 'none' });
  await site.run('catalog', 'import', 'yum', `${feed.url}/`, '--prefix', PREFIX);
  return { daemon: await site.serve(), files: builtFiles(repository), repository };
};

describe('Clients of a tree with more than packages', () => {
  const tools = [...YUM_TOOLS, 'modifyrepo_c'];

  itNeeding([...tools, 'dnf'])('dnf copies the repository with all of its metadata', async () => {
    const { daemon, files } = await openTree();
    const copy = join(folder(), 'copy');
    const dnf = makeDnf(start, folder(), daemon.url + PREFIX);
    await dnf.run('reposync', '--norepopath', '--download-metadata', `--download-path=${copy}`);
    const wanted = files.filter(({ path }) => /^(repodata\/|[^/]+\.rpm$)/.test(path));
    expect(
      wanted.map(({ path }) => path).filter((path) => /comps|updateinfo|\.zck$/.test(path)).length,
    ).toBeGreaterThan(3);
    const copied = builtFiles(copy).map(({ path }) => path);
    // A dnf without zchunk leaves those files out.
    expect(copied).toEqual(
      expect.arrayContaining(wanted.map(({ path }) => path).filter((path) => !path.endsWith('.zck'))),
    );
    expect(builtFiles(copy)).toEqual(files.filter(({ path }) => copied.includes(path)));
  });

  itNeeding([...tools, 'zckdl'])('zckdl gets metadata in zchunk', async () => {
    const { daemon, files, repository } = await openTree();
    const chunked = files.filter(({ path }) => path.endsWith('.zck'));
    expect(chunked.length).toBeGreaterThan(0);
    for (const { path } of chunked) {
      const there = folder();
      await succeeded(start('zckdl', [`${daemon.url}${PREFIX}/${path}`], { cwd: there, env: ownEnvironment() }));
      const name = path.slice(path.lastIndexOf('/') + 1);
      expect(digestOf(readFileSync(join(there, name)))).toBe(digestOf(readFileSync(join(repository, path))));
    }
  });

  itNeeding([...tools, 'curl'])('an installer gets what .treeinfo names, and the add-on', async () => {
    const { daemon, files } = await openTree();
    const there = folder();
    const wanted = files.filter(({ path }) => /^(\.treeinfo|images\/|addons\/Cubs\/)/.test(path));
    expect(wanted.length).toBeGreaterThan(6);
    for (const { path } of wanted)
      await succeeded(
        start('curl', ['-sSf', '--create-dirs', '-o', join(there, path), `${daemon.url}${PREFIX}/${path}`], {
          env: ownEnvironment(),
        }),
      );
    expect(builtFiles(there)).toEqual(wanted);
  });
});
