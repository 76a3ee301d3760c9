import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect } from '@jest/globals';
import { makeApt } from '../support/apt.ts';
import { makeDnf } from '../support/dnf.ts';
import { temporaryFolders } from '../support/folder.ts';
import { sha256 } from '../support/importing.ts';
import { processes } from '../support/processes.ts';
import {
  builtFiles,
  DEB_TOOLS,
  itNeeding,
  makeFlatRepository,
  makeYumRepository,
  YUM_TOOLS,
} from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds, serveFolder } from '../support/site-feeds.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const PREFIX = '/pulp/repos/zoo/os';
const names = ['bear', 'cat', 'dog', 'owl', 'yak'] as const;
const PACKAGES = names.map((name) => ({ name, version: '1', size: 2_000 }));
const digestsOf = (files: readonly { readonly sha256: string }[]) => files.map(({ sha256 }) => sha256).sort();

/** Moves a file of a folder, and returns its old name. */
const move = (base: string, from: string, to: string): string => {
  mkdirSync(join(base, to, '..'), { recursive: true });
  renameSync(join(base, from), join(base, to));
  return from;
};

const PRIMARY = 'repodata/primary.xml.gz';

/** Changes the metadata of packages, and lists it anew. */
const changePrimary = (base: string, change: (xml: string) => string): void => {
  const repomd = readFileSync(join(base, 'repodata/repomd.xml'), 'utf8');
  const [, before = ''] = /<data type="primary">.*?href="([^"]+)"/s.exec(repomd) ?? [];
  const xml = change(gunzipSync(readFileSync(join(base, before))).toString());
  const packed = gzipSync(xml);
  writeFileSync(join(base, PRIMARY), packed);
  writeFileSync(
    join(base, 'repodata/repomd.xml'),
    `<repomd xmlns="http://linux.duke.edu/metadata/repo"><data type="primary">
     <checksum type="sha256">${sha256(packed)}</checksum><open-checksum type="sha256">${sha256(xml)}</open-checksum>
     <location href="${PRIMARY}"/><size>${packed.length}</size><open-size>${xml.length}</open-size></data>
     <data type="odd"><location href="repodata/odd.xml"/></data></repomd>`,
  );
};

/** Packages at odd places, of which dnf can install all but one. */
const makeOddYum = (site: string): readonly string[] => {
  const base = join(site, 'zoo/os');
  makeYumRepository(base, PACKAGES);
  const rpm = (name: string) => `${name}-1-1.noarch.rpm`;
  const bear = move(base, rpm('bear'), '../Packages/bear.rpm');
  changePrimary(base, (xml) => {
    const [cat = ''] = /<package (?:(?!<package ).)*<name>cat<.*?<\/package>/s.exec(xml) ?? [];
    return xml
      .replace(`href="${bear}"`, 'href="../Packages/bear.rpm"')
      .replace(`href="${rpm('cat')}"`, `href="x/../${rpm('cat')}"`)
      .replace(`href="${rpm('dog')}"`, `href="/${rpm('dog')}"`)
      .replace(/(<name>yak<.*?<location href=")[^"]*"/s, '$1"')
      .replace('</metadata>', `${cat.replace(/(pkgid="YES">)[0-9a-f]+/, `$1${'0'.repeat(64)}`)}</metadata>`);
  });
  return names.slice(0, 4).map((name) => (name === 'bear' ? 'zoo/Packages/bear.rpm' : `zoo/os/${rpm(name)}`));
};

describe('dnf', () => {
  itNeeding([...YUM_TOOLS, 'dnf'])('installs through the streamer what it installs from an odd feed', async () => {
    const repository = folder();
    const files = makeOddYum(repository);
    const feed = await startFeed(serveFolder(repository));
    const site = makeSite(start, folder(), { dispatch: 'none' });
    const out = await site.run('catalog', 'import', 'yum', `${feed.url}/zoo/os`, '--prefix', PREFIX);
    expect(out).toBe(`${PREFIX}: 4 packages and 2 metadata files, revision 1, 3 odd entries left out\n`);
    const daemon = await site.serve();
    const wanted = digestsOf(builtFiles(repository).filter(({ path }) => files.includes(path)));
    for (const url of [`${feed.url}/zoo/os`, daemon.url + PREFIX]) {
      const home = folder();
      await makeDnf(start, home, url).run('download', `--destdir=${home}/rpms`, ...names.slice(0, 4));
      expect(digestsOf(builtFiles(join(home, 'rpms')))).toEqual(wanted);
    }
    expect((await daemon.stop()).status).toBe(0);
  });
});

describe('apt', () => {
  itNeeding([...DEB_TOOLS, 'apt-get'])('installs through the streamer what it installs from an odd feed', async () => {
    const repository = folder();
    const base = join(repository, 'zoo/os');
    makeFlatRepository(base, PACKAGES, { release: false, compressions: ['plain'] });
    const deb = (name: string) => `${name}_1_all.deb`;
    move(base, deb('bear'), '../pool/bear.deb');
    const packages = readFileSync(join(base, 'Packages'), 'utf8')
      .replace(/Filename: (\.\/)?bear.*/, 'Filename: ../pool/bear.deb')
      .replace(/Filename: (\.\/)?cat.*/, `Filename: x/../${deb('cat')}`)
      .replace(/Filename: (\.\/)?dog.*/, `Filename: /${deb('dog')}`)
      .replace(/Filename: (\.\/)?yak.*\n/, '');
    writeFileSync(join(base, 'Packages'), packages);
    const feed = await startFeed((request, response) => {
      const { pathname } = new URL(`http://feed${request.url}`);
      serveFolder(repository)(Object.assign(request, { url: pathname.replaceAll('//', '/') }), response);
    });
    const site = makeSite(start, folder(), { dispatch: 'none' });
    const out = await site.run('catalog', 'import', 'deb', `${feed.url}/zoo/os`, '--prefix', PREFIX);
    expect(out).toBe(`${PREFIX}: 4 packages and 1 metadata file, revision 1, 1 odd entry left out\n`);
    const daemon = await site.serve();
    const wanted = digestsOf(builtFiles(repository).filter(({ path }) => /(bear|cat|dog|owl).*\.deb$/.test(path)));
    for (const url of [`${feed.url}/zoo/os`, daemon.url + PREFIX]) {
      const home = folder();
      const apt = makeApt(start, home, url, './');
      await apt.update();
      expect(digestsOf(await apt.download(join(home, 'debs'), names.slice(0, 4)))).toEqual(wanted);
    }
    expect((await daemon.stop()).status).toBe(0);
  });
});

describe('dnf with a repository from a list of mirrors', () => {
  itNeeding([...YUM_TOOLS, 'dnf'])('gets packages of the next mirror when the first one is gone', async () => {
    const repository = folder();
    makeYumRepository(repository, PACKAGES.slice(0, 2));
    const [first, second] = [await startFeed(serveFolder(repository)), await startFeed(serveFolder(repository))];
    const list = await startFeed((_, response) => response.end(`${first.url}\n${second.url}\n`));
    const site = makeSite(start, folder(), { dispatch: 'none', retry_wait: '10ms' });
    await site.run('catalog', 'import', 'yum', `${list.url}/mirrorlist`, '--prefix', PREFIX);
    const daemon = await site.serve();
    const download = async (name: string) => {
      const home = folder();
      await makeDnf(start, home, daemon.url + PREFIX).run('download', `--destdir=${home}/rpms`, name);
      return digestsOf(builtFiles(join(home, 'rpms')));
    };
    const digestOf = (name: string) => digestsOf(builtFiles(repository).filter(({ path }) => path.startsWith(name)));
    expect(await download('bear')).toEqual(digestOf('bear'));
    // Only files that the first one lacks, such as a signature.
    expect(
      second.requests.map(({ url }) => url).filter((url) => /repomd\.xml$|primary|\.rpm$/.test(url ?? '')),
    ).toEqual([]);
    await first.close();
    expect(await download('cat')).toEqual(digestOf('cat'));
    const path = `${PREFIX}/cat-1-1.noarch.rpm`;
    await daemon.logged('request', { path, status: 200, source: `feed:127.0.0.1:${second.port}` });
    expect((await daemon.stop()).status).toBe(0);
  });
});
