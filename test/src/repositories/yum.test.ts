import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { yum } from '../../../src/repositories/yum.ts';
import { readFiles, readFolder, sha256 } from '../../support/importing.ts';
import { type Compression, itNeeding, makeYumRepository, YUM_TOOLS } from '../../support/repositories.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();
const itWithTools = itNeeding(YUM_TOOLS);
const PACKAGES = [
  { name: 'bear', version: '4.1', size: 2000 },
  { name: 'libstdc++', version: '1.0~rc1', release: '3', epoch: 2, size: 10 },
];

const aPackage = (href: string, over = '') => `
  <package type="rpm"><name>bear</name><arch>noarch</arch><version epoch="0" ver="4.1" rel="1"/>
  <checksum type="sha256" pkgid="YES">${'7a'.repeat(32)}</checksum><summary>S &amp; T</summary>
  <size package="2438" installed="42" archive="296"/><location href="${href}"/>
  <format><rpm:provides><rpm:entry name="bear" epoch="9" ver="9" rel="9"/></rpm:provides><file>/usr/name</file></format>${over}
  </package>`;

/** A repository as text, for metadata that createrepo_c would never write. */
const aRepository = (primary: string, { checksum = sha256(gzipSync(primary)), type = 'sha256', open = '' } = {}) => ({
  'repodata/repomd.xml': `<?xml version="1.0"?><repomd xmlns="http://linux.duke.edu/metadata/repo">
    <revision>1</revision>
    <data type="primary"><checksum type="${type}">${checksum}</checksum>${open}<location href="repodata/primary.xml.gz"/></data>
    </repomd>`,
  'repodata/primary.xml.gz': gzipSync(primary),
});
const metadata = (packages: string) =>
  `<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="1">${packages}</metadata>`;

describe('a yum repository made by createrepo_c', () => {
  for (const compression of ['gz', 'xz', 'zst', 'plain'] satisfies Compression[]) {
    itWithTools(`is read with its primary metadata in ${compression}`, async () => {
      const folder = newFolder();
      const files = makeYumRepository(folder, PACKAGES, { compression, source: true });
      const { items } = await readFolder(yum, folder);
      const found = items.map(({ path, checksum, size }) => ({ path, sha256: checksum?.value, size }));
      expect(found.sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual(files);
      expect(items.filter(({ unitTypeId }) => unitTypeId === 'srpm')).toHaveLength(2);
      expect(items.find(({ path }) => path === 'libstdc++-1.0~rc1-3.noarch.rpm')).toMatchObject({
        unitTypeId: 'rpm',
        unitKey: {
          name: 'libstdc++',
          epoch: '2',
          version: '1.0~rc1',
          release: '3',
          arch: 'noarch',
          checksumtype: 'sha256',
        },
      });
    });
  }

  itWithTools('has its signature and key, if they exist', async () => {
    const folder = newFolder();
    makeYumRepository(folder, PACKAGES.slice(0, 1));
    writeFileSync(join(folder, 'repodata/repomd.xml.asc'), 'signature');
    const { items } = await readFolder(yum, folder);
    expect(items.find(({ path }) => path === 'repodata/repomd.xml.asc')).toEqual({
      path: 'repodata/repomd.xml.asc',
      unitTypeId: 'metadata',
      unitKey: { name: 'repodata/repomd.xml.asc', checksum: sha256('signature') },
      checksum: { algorithm: 'sha256', value: sha256('signature') },
      size: 9,
    });
    expect(items.some(({ path }) => path.endsWith('.key'))).toBe(false);
  });

  for (const compression of ['gz', 'xz', 'zst', 'plain'] satisfies Compression[]) {
    itWithTools(`is refused if its primary metadata in ${compression} does not match repomd.xml`, async () => {
      const folder = newFolder();
      const primary = makeYumRepository(folder, PACKAGES.slice(0, 1), { compression }).find(({ path }) =>
        path.includes('primary.xml'),
      )!;
      const file = join(folder, primary.path);
      const broken = readFileSync(file);
      broken[200]! ^= 0xff;
      writeFileSync(file, broken);
      await expect(readFolder(yum, folder)).rejects.toThrow(
        `${primary.path}: expected sha256 ${primary.sha256}, found ${sha256(broken)}`,
      );
    });
  }

  itWithTools('is refused if bytes follow its primary metadata', async () => {
    const folder = newFolder();
    const files = makeYumRepository(folder, PACKAGES.slice(0, 1), { compression: 'xz' });
    const primary = files.find(({ path }) => path.includes('primary.xml'))!;
    appendFileSync(join(folder, primary.path), Buffer.alloc(100_000));
    await expect(readFolder(yum, folder)).rejects.toThrow(`expected sha256 ${primary.sha256}, found`);
  });
});

describe('yum metadata', () => {
  it('is read in any chunks', async () => {
    const repository = aRepository(metadata(aPackage('é/béar.rpm')));
    for (const pieceSize of [1, 7, 100_000]) {
      const { items } = await readFiles(yum, repository, {}, { pieceSize });
      expect(items.find(({ unitTypeId }) => unitTypeId === 'rpm')).toEqual({
        path: 'é/béar.rpm',
        unitTypeId: 'rpm',
        unitKey: {
          name: 'bear',
          epoch: '0',
          version: '4.1',
          release: '1',
          arch: 'noarch',
          checksumtype: 'sha256',
          checksum: '7a'.repeat(32),
        },
        checksum: { algorithm: 'sha256', value: '7a'.repeat(32) },
        size: 2438,
      });
    }
  });

  it('may say that it has no packages', async () => {
    const { items } = await readFiles(yum, aRepository(metadata('').replace('packages="1"', 'packages="0"')));
    expect(items.map(({ path }) => path)).toEqual(['repodata/repomd.xml', 'repodata/primary.xml.gz']);
  });

  it('may call SHA-1 "sha"', async () => {
    const sha = aPackage('a.rpm').replace('type="sha256"', 'type="sha"').replace('7a'.repeat(32), 'AB'.repeat(20));
    const { items } = await readFiles(yum, aRepository(metadata(sha)));
    expect(items.at(-1)).toMatchObject({
      checksum: { algorithm: 'sha1', value: 'ab'.repeat(20) },
      unitKey: { checksumtype: 'sha1' },
    });
  });

  it('without sizes has items without sizes', async () => {
    const { items } = await readFiles(yum, aRepository(metadata(aPackage('a.rpm').replace(/<size[^>]*>/, ''))));
    expect(items.map(({ size }) => size)).toEqual([expect.any(Number), undefined, undefined]);
  });

  it.each([
    ['../a.rpm', '../a.rpm'],
    ['../../a.rpm', '../../a.rpm'],
    ['x/../../a.rpm', '../a.rpm'],
    ['x//../../a.rpm', 'a.rpm'],
    ['./x/./../y/a.rpm', 'y/a.rpm'],
    ['/Packages/a.rpm', 'Packages/a.rpm'],
  ])('has the location %s where dnf fetches it', async (href, path) => {
    const { items, leftOut, bypassed } = await readFiles(yum, aRepository(metadata(aPackage(href))));
    expect(items.at(-1)).toMatchObject({ unitTypeId: 'rpm', path });
    expect([leftOut, bypassed]).toEqual([[], []]);
  });

  it.each([
    ['https://test/repo/Packages/b%2B.rpm', 'Packages/b+.rpm'],
    ['https://test/a.rpm', '../a.rpm'],
    ['https://test/repo2/repo/a.rpm', '../repo2/repo/a.rpm'],
  ])('has the URL %s, which dnf fetches past the streamer', async (href, path) => {
    const { items, bypassed } = await readFiles(yum, aRepository(metadata(aPackage(href))));
    expect(items.at(-1)?.path).toBe(path);
    expect(bypassed).toEqual(['repodata/primary.xml.gz: package bear: location is a URL']);
  });

  it('has packages with xml:base, which dnf fetches past the streamer', async () => {
    const based = aPackage('a.rpm').replace('<location', '<location xml:base="http://u:secret@h/"');
    const { items, bypassed } = await readFiles(yum, aRepository(metadata(based)));
    expect(items.at(-1)?.path).toBe('a.rpm');
    expect(bypassed).toEqual(["repodata/primary.xml.gz: package bear: xml:base is 'http://***@h/'"]);
  });

  const GOOD = aPackage('good.rpm').replace('<name>bear', '<name>good');
  const without = (pattern: RegExp, instead = '') => aPackage('a.rpm').replace(pattern, instead);
  it.each([
    ['an empty location', aPackage(''), 'location@href is missing'],
    ['the location x/', aPackage('x/'), 'location "x/" is not a file, expected a relative path'],
    ['the location ..', aPackage('a/..'), 'location "a/.." is not a file, expected a relative path'],
    [
      'control characters',
      aPackage('a&#9;b'),
      'location "a\\tb" contains control characters, expected a relative path',
    ],
    [
      'a location at another host',
      aPackage('http://evil.example.com/a.rpm?token=1'),
      'http://evil.example.com/a.rpm?*** is at another host, from which clients fetch it themselves',
    ],
    ['a negative size', without(/package="\d+"/, 'package="-1"'), "size '-1' is not a number of bytes"],
    ['a size beyond 2^53', without(/package="\d+"/, 'package="9007199254740992"'), "size '9007199254740992' is not"],
    ['no checksum', without(/<checksum.*?<.checksum>/), 'checksum@type is missing'],
    [
      'an unknown checksum',
      without(/type="sha256"/, 'type="crc32"'),
      "unknown checksum type 'crc32', expected one of md5",
    ],
  ])('with a package of %s has the others', async (_, odd, problem) => {
    const { items, leftOut } = await readFiles(yum, aRepository(metadata(odd + GOOD)));
    expect(items.map(({ path }) => path)).toEqual(['repodata/repomd.xml', 'repodata/primary.xml.gz', 'good.rpm']);
    expect(leftOut).toEqual([expect.stringContaining(`repodata/primary.xml.gz: package bear: ${problem}`)]);
    await expect(readFiles(yum, aRepository(metadata(odd)))).rejects.toThrow(
      'repodata/primary.xml.gz: lists no packages that can be served, expected 1',
    );
  });

  it('has packages without version and architecture, and a size of 0, which means that it is unknown', async () => {
    const bare = without(/<version[^>]*>/).replace(/<arch>.*?<.arch>/, '');
    const { items, leftOut } = await readFiles(
      yum,
      aRepository(metadata(bare.replace(/package="\d+"/, 'package="0"'))),
    );
    expect(items.at(-1)).toMatchObject({ path: 'a.rpm', unitKey: { version: '', release: '', arch: '' } });
    expect([items.at(-1)?.size, leftOut]).toEqual([undefined, []]);
  });

  it('without a checksum of a file that is not primary leaves that file out', async () => {
    const repository = aRepository(metadata(aPackage('a.rpm')));
    const repomd = repository['repodata/repomd.xml'].replace(
      '</repomd>',
      '<data type="other"><location href="repodata/other.xml"/></data></repomd>',
    );
    const { items, leftOut } = await readFiles(yum, { ...repository, 'repodata/repomd.xml': repomd });
    expect(items.at(-1)?.path).toBe('a.rpm');
    expect(leftOut).toEqual(['repodata/repomd.xml: data type="other": checksum@type is missing']);
  });

  const faults: readonly (readonly [string, Record<string, string | Uint8Array>, RegExp])[] = [
    ['is missing', {}, /repodata\/repomd\.xml: 404/],
    ['is not XML', { 'repodata/repomd.xml': '<html><body>Login<br></html>' }, /repomd\.xml: not well-formed XML: 1:/],
    ['lists no primary', { 'repodata/repomd.xml': '<repomd></repomd>' }, /no data of type primary, found none/],
    ['ends too early', aRepository('<metadata><package>'), /primary\.xml\.gz: not well-formed XML: .*unclosed tag/],
    [
      'has a primary with other content after decompression',
      aRepository(metadata(''), { open: `<open-checksum type="sha256">${'0'.repeat(64)}</open-checksum>` }),
      /primary\.xml\.gz, decompressed: expected sha256 0{64}, found/,
    ],
    [
      'lists no package',
      aRepository(metadata('')),
      /primary\.xml\.gz: lists no packages that can be served, expected 1/,
    ],
    [
      'is nested too deep',
      aRepository(metadata('<a>'.repeat(100_000))),
      /primary\.xml\.gz: 1:\d+: more than 64 nested elements/,
    ],
    [
      'has too long a text',
      aRepository(metadata(`<package><name>${'x'.repeat(2 ** 21)}`)),
      /primary\.xml\.gz: 1:\d+: more than 1048576 characters in one text/,
    ],
    [
      'has too long an attribute',
      aRepository(metadata(`<package name="${'x'.repeat(2 ** 21)}`)),
      /primary\.xml\.gz: 1:\d+: more than 1048576 characters in one text, tag/,
    ],
    [
      'has too long a record',
      aRepository(metadata(`<package><name>${`<![CDATA[${'x'.repeat(2 ** 19)}]]>`.repeat(3)}`)),
      /primary\.xml\.gz: 1:\d+: more than 1048576 characters in one package/,
    ],
    [
      'has a record of too many fields',
      aRepository(metadata(`<package>${'<a/>'.repeat(1025)}`)),
      /primary\.xml\.gz: 1:\d+: more than 1024 fields in one package/,
    ],
    [
      'has more bytes after decompression than it states',
      aRepository(metadata(' '.repeat(100_000)), { open: '<open-size>1000</open-size>' }),
      /primary\.xml\.gz: more than 1000 bytes after decompression/,
    ],
    [
      'has far more bytes after decompression than before',
      aRepository(metadata(`<a b="${'x'.repeat(2 ** 16)}"/>`.repeat(1100))),
      /primary\.xml\.gz: more than 67108864 bytes after decompression/,
    ],
  ];
  for (const [fault, files, message] of faults) {
    it(`is refused if it ${fault}`, async () => {
      await expect(readFiles(yum, files)).rejects.toThrow(message);
    });
  }

  it('in an unknown compression is refused by its file name', async () => {
    const repository = aRepository(metadata(''));
    const lz4 = repository['repodata/repomd.xml'].replace('primary.xml.gz', 'primary.xml.lz4');
    await expect(
      readFiles(yum, { 'repodata/repomd.xml': lz4, 'repodata/primary.xml.lz4': repository['repodata/primary.xml.gz'] }),
    ).rejects.toThrow('repodata/primary.xml.lz4: unknown compression, expected one of xz, zst, gz, bz2, lzma or none');
  });
});
