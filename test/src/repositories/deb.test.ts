import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { deb } from '../../../src/repositories/deb.ts';
import type { RepositoryItem } from '../../../src/repositories/format.ts';
import { readFiles, readFolder, sha256 } from '../../support/importing.ts';
import { DEB_TOOLS, itNeeding, makeFlatRepository, makeSuiteRepository } from '../../support/repositories.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();
const itWithTools = itNeeding(DEB_TOOLS);
const PACKAGES = [
  { name: 'bear', version: '4.1', size: 2000 },
  { name: 'libstdc++6', version: '1.0~rc1', epoch: 2, size: 10 },
];

const toBuilt = (items: readonly RepositoryItem[]) =>
  items
    .map(({ path, checksum, size }) => ({ path, sha256: checksum?.value, size }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));

const paths = (items: readonly RepositoryItem[]): string[] => items.map(({ path }) => path);

const aStanza = (name: string, over = '') =>
  `Package: ${name}\nVersion: 1.0\nArchitecture: all\nFilename: pool/${name}.deb\nSize: 5\nSHA256: ${sha256(name)}\n${over}`;

const listing = (files: Readonly<Record<string, string>>, digest = sha256): string =>
  Object.entries(files)
    .map(([path, content]) => ` ${digest(content)} ${content.length} ${path}\n`)
    .join('');

/** A suite as text; `Release` lists all of `files`. */
const aSuite = (files: Readonly<Record<string, string>>, fields = ''): Record<string, string> => ({
  'dists/stable/Release': `Suite: stable\n${fields}SHA256:\n${listing(files)}`,
  ...Object.fromEntries(Object.entries(files).map(([path, content]) => [`dists/stable/${path}`, content])),
});

const SUITE = { suites: ['stable'] };

describe('a Debian repository made by apt-ftparchive', () => {
  for (const compressions of [['gz', 'xz'], ['gz'], ['plain']] as const) {
    itWithTools(`is read with its Packages in ${compressions.join(' and ')}`, async () => {
      const folder = newFolder();
      const files = makeSuiteRepository(folder, PACKAGES, { compressions });
      const { items, missing } = await readFolder(deb, folder, SUITE);
      expect(missing).toEqual([]);
      const release = files.find(({ path }) => path === 'dists/stable/Release');
      expect(items).toContainEqual(expect.objectContaining({ path: release?.path, size: release?.size }));
      // Release lists the strongest digest of each file, which need not be SHA-256.
      expect(paths(items).sort()).toEqual(files.map(({ path }) => path));
      expect(
        items.filter(({ unitTypeId }) => unitTypeId === 'deb').map(({ unitKey, size }) => [unitKey.name, size]),
      ).toEqual([
        ['bear', files.find(({ path }) => path.includes('/bear_'))?.size],
        ['libstdc++6', files.find(({ path }) => path.includes('/libstdc++6_'))?.size],
      ]);
    });
  }

  itWithTools('has unit keys and the packages’ own checksums', async () => {
    const folder = newFolder();
    const files = makeSuiteRepository(folder, PACKAGES);
    const { items } = await readFolder(deb, folder, SUITE);
    const built = files.find(({ path }) => path.includes('libstdc++6'))!;
    expect(items.find(({ path }) => path === built.path)).toEqual({
      path: 'pool/main/libstdc++6_1.0~rc1_all.deb',
      unitTypeId: 'deb',
      unitKey: {
        name: 'libstdc++6',
        version: '2:1.0~rc1',
        architecture: 'all',
        checksumtype: 'sha256',
        checksum: built.sha256,
      },
      checksum: { algorithm: 'sha256', value: built.sha256 },
      size: built.size,
    });
  });

  itWithTools('may be flat', async () => {
    const folder = newFolder();
    const files = makeFlatRepository(folder, PACKAGES);
    const { items } = await readFolder(deb, folder);
    expect(paths(items).sort()).toEqual(files.map(({ path }) => path));
  });

  itWithTools('may be flat and without a Release file', async () => {
    const folder = newFolder();
    const files = makeFlatRepository(folder, PACKAGES, { release: false, compressions: ['gz', 'xz'] });
    const { items } = await readFolder(deb, folder, { suites: ['./'] });
    expect(toBuilt(items)).toEqual(files);
  });

  itWithTools('may be flat in a subfolder', async () => {
    const folder = newFolder();
    makeFlatRepository(join(folder, 'here'), PACKAGES, { release: false, compressions: ['gz'] });
    const { items } = await readFolder(deb, folder, { suites: ['here/'] });
    // As in apt: the index is in the folder, but file names are relative to the base.
    expect(paths(items)).toEqual(['bear_4.1_all.deb', 'libstdc++6_1.0~rc1_all.deb', 'here/Packages.gz']);
  });

  itWithTools('is read from the next compression if one is listed but missing', async () => {
    const folder = newFolder();
    makeSuiteRepository(folder, PACKAGES);
    rmSync(join(folder, 'dists/stable/main/binary-amd64/Packages.xz'));
    const { items, missing } = await readFolder(deb, folder, SUITE);
    expect(items.filter(({ unitTypeId }) => unitTypeId === 'deb')).toHaveLength(2);
    expect(missing).toEqual([]);
  });
});

describe('a Release file', () => {
  const files = { 'main/binary-amd64/Packages': aStanza('bear') };

  it('may be clear-signed', async () => {
    const { 'dists/stable/Release': release = '', ...others } = aSuite(files);
    const signed =
      `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n- -dashed\n${release}` +
      `-----BEGIN PGP SIGNATURE-----\n\nSHA256:\nabc\n-----END PGP SIGNATURE-----\n`;
    const { items } = await readFiles(deb, { ...others, 'dists/stable/InRelease': signed }, SUITE);
    expect(paths(items)).toEqual([
      'dists/stable/InRelease',
      'dists/stable/main/binary-amd64/Packages',
      'pool/bear.deb',
    ]);
    expect(items[0]).toMatchObject({ checksum: { value: sha256(signed) }, size: signed.length });
  });

  it('has its detached signature in the same folder', async () => {
    const { items } = await readFiles(deb, { ...aSuite(files), 'dists/stable/Release.gpg': 'signature' }, SUITE);
    expect(paths(items)).toContain('dists/stable/Release.gpg');
  });

  it('with Acquire-By-Hash has each index by its digest, once', async () => {
    const same = { ...files, 'main/i18n/Translation-a': 'same', 'main/i18n/Translation-b': 'same' };
    const { items } = await readFiles(deb, aSuite(same, 'Acquire-By-Hash: yes\n'), SUITE);
    expect(paths(items).filter((path) => path.includes('by-hash'))).toEqual([
      `dists/stable/main/binary-amd64/by-hash/SHA256/${sha256(aStanza('bear'))}`,
      `dists/stable/main/i18n/by-hash/SHA256/${sha256('same')}`,
    ]);
  });

  it('is used with its strongest digests', async () => {
    const suite = aSuite(files);
    const strong = `SHA512:\n ${'ab'.repeat(64)} ${aStanza('bear').length} main/binary-amd64/Packages\n`;
    const both = { ...suite, 'dists/stable/Release': suite['dists/stable/Release'] + strong };
    await expect(readFiles(deb, both, SUITE)).rejects.toThrow(
      `dists/stable/main/binary-amd64/Packages: expected sha512 ${'ab'.repeat(64)}, found`,
    );
  });

  it('counts with the strongest digest of each file, not of the whole', async () => {
    const suite = aSuite(files, 'Acquire-By-Hash: yes\n');
    for (const strong of ['SHA512:\n', `SHA512:\n ${'ab'.repeat(64)} 3 main/i18n/Translation-a\n`]) {
      const release = suite['dists/stable/Release'] + strong;
      const { items } = await readFiles(deb, { ...suite, 'dists/stable/Release': release }, SUITE);
      expect(paths(items)).toContain('pool/bear.deb');
      expect(paths(items)).toContain(`dists/stable/main/binary-amd64/by-hash/SHA256/${sha256(aStanza('bear'))}`);
    }
  });

  it('without any of its indices is refused', async () => {
    const { 'dists/stable/main/binary-amd64/Packages': _, ...partial } = aSuite(files);
    await expect(readFiles(deb, partial, SUITE)).rejects.toThrow('Release: none of its 1 Packages indices was found');
  });

  it('of a flat repository may list nothing', async () => {
    const { items } = await readFiles(deb, { Release: 'Suite: x\n', Packages: aStanza('bear') });
    expect(paths(items)).toContain('pool/bear.deb');
  });

  it('may have an empty index', async () => {
    const { items } = await readFiles(deb, aSuite({ 'main/binary-amd64/Packages': '' }), SUITE);
    expect(paths(items)).toEqual(['dists/stable/Release', 'dists/stable/main/binary-amd64/Packages']);
  });

  it('states the digest of an index before compression, too', async () => {
    const packed = gzipSync(aStanza('wolf'));
    const release = `SHA256:\n${listing({ 'main/binary-amd64/Packages': aStanza('bear') })} ${sha256(packed)} ${packed.length} main/binary-amd64/Packages.gz\n`;
    const suite = { 'dists/stable/Release': release, 'dists/stable/main/binary-amd64/Packages.gz': packed };
    await expect(readFiles(deb, suite, SUITE)).rejects.toThrow(
      `Packages.gz, decompressed: expected sha256 ${sha256(aStanza('bear'))}, found ${sha256(aStanza('wolf'))}`,
    );
  });

  it('may list a compression that cannot be read, if another one can', async () => {
    const packed = gzipSync(aStanza('bear'));
    const path = 'main/binary-amd64/Packages';
    const release = `SHA256:\n ${sha256('odd')} 3 ${path}.xz\n ${sha256(packed)} ${packed.length} ${path}.gz\n`;
    const suite = { 'dists/stable/Release': release, [`dists/stable/${path}.xz`]: 'odd' };
    const { items } = await readFiles(deb, { ...suite, [`dists/stable/${path}.gz`]: packed }, SUITE);
    expect(paths(items)).toContain('pool/bear.deb');
    await expect(readFiles(deb, suite, SUITE)).rejects.toThrow(`${path}.xz: cannot be decompressed`);
  });

  it('is not listed in itself', async () => {
    const old = `SHA256:\n${listing({ ...files, Release: 'as it was before' })}`;
    const { items } = await readFiles(deb, { ...aSuite(files), 'dists/stable/Release': old }, SUITE);
    expect(paths(items).filter((path) => path.endsWith('/Release'))).toEqual(['dists/stable/Release']);
  });

  it('may list indices that the mirror does not have', async () => {
    const partial = aSuite({ ...files, 'main/binary-arm64/Packages': aStanza('arm') });
    delete partial['dists/stable/main/binary-arm64/Packages'];
    const { items, missing } = await readFiles(deb, partial, SUITE);
    expect(paths(items)).toContain('pool/bear.deb');
    expect(missing).toEqual(['dists/stable/main/binary-arm64/Packages']);
  });
});

describe('a selection', () => {
  const suite = aSuite({
    'main/binary-amd64/Packages': aStanza('main-amd64'),
    'main/binary-arm64/Packages': aStanza('main-arm64'),
    'main/binary-all/Packages': aStanza('main-all'),
    'main/debian-installer/binary-amd64/Packages': aStanza('installer'),
    'contrib/binary-amd64/Packages': aStanza('contrib-amd64'),
  });
  const packagesOf = async (selection: object) =>
    paths((await readFiles(deb, suite, { ...SUITE, ...selection })).items).flatMap((path) =>
      path.startsWith('pool/') ? [path.slice(5, -4)] : [],
    );

  it('that is empty takes everything', async () => {
    expect(await packagesOf({})).toEqual(['main-amd64', 'main-arm64', 'main-all', 'installer', 'contrib-amd64']);
  });

  it('of components leaves the others out', async () => {
    expect(await packagesOf({ components: ['contrib'] })).toEqual(['contrib-amd64']);
  });

  it('of architectures keeps packages for all', async () => {
    expect(await packagesOf({ components: ['main'], architectures: ['arm64'] })).toEqual(['main-arm64', 'main-all']);
  });

  it('of several suites reads each', async () => {
    const next = { 'dists/next/Release': `SHA256:\n${listing({ 'main/binary-all/Packages': aStanza('new') })}` };
    const files = { ...suite, ...next, 'dists/next/main/binary-all/Packages': aStanza('new') };
    const { items } = await readFiles(deb, files, { suites: ['stable', 'next'] });
    expect(paths(items)).toEqual(expect.arrayContaining(['pool/main-all.deb', 'pool/new.deb']));
  });

  it('of an unknown name lists the available ones', async () => {
    await expect(packagesOf({ components: ['universe'] })).rejects.toThrow(
      "dists/stable/Release: no component 'universe', available: main, contrib",
    );
    await expect(packagesOf({ architectures: ['riscv64'] })).rejects.toThrow(
      "dists/stable/Release: no architecture 'riscv64', available: amd64, arm64, all",
    );
  });
});

describe('Debian metadata', () => {
  const faults: readonly (readonly [string, Record<string, string>, RegExp])[] = [
    ['is nowhere', {}, /dists\/stable\/: found neither Release nor InRelease/],
    [
      'lists nothing',
      { 'dists/stable/Release': 'Suite: stable\n' },
      /Release: lists no files, expected one of the fields SHA512/,
    ],
    [
      'has an index with nothing in it',
      aSuite({ 'main/binary-all/Packages': '\n\n' }),
      /Packages: lists no packages that can be served/,
    ],
    [
      'has a stanza of too many fields',
      aSuite({ 'main/binary-all/Packages': 'X: 1\n'.repeat(1025) }),
      /Packages: line 1025: more than 1024 fields in one stanza/,
    ],
  ];
  for (const [fault, files, message] of faults) {
    it(`is refused if it ${fault}`, async () => {
      await expect(readFiles(deb, files, SUITE)).rejects.toThrow(message);
    });
  }

  const GOOD = `${aStanza('good')}\n\n`;
  it.each([
    ['without a file name', aStanza('bear').replace(/Filename.*\n/, ''), 'filename is missing'],
    ['of a negative size', aStanza('bear').replace('Size: 5', 'Size: -5'), "size '-5' is not a number of bytes"],
    ['of a size beyond 2^53', aStanza('bear').replace('Size: 5', 'Size: 1e99'), "size '1e99' is not a number of bytes"],
    ['without a checksum', aStanza('bear').replace(/SHA256.*\n/, ''), 'has no checksum, expected one of sha256'],
    ['with an invalid checksum', aStanza('bear').replace(/SHA256.*\n/, 'SHA256: ab\n'), "'ab' is not a valid sha256"],
  ])('with a package %s has the others', async (_, odd, problem) => {
    const { items, leftOut } = await readFiles(deb, aSuite({ 'main/binary-all/Packages': GOOD + odd }), SUITE);
    expect(paths(items)).toEqual(['dists/stable/Release', 'dists/stable/main/binary-all/Packages', 'pool/good.deb']);
    expect(leftOut).toEqual([
      expect.stringContaining(`dists/stable/main/binary-all/Packages: package bear: ${problem}`),
    ]);
  });

  it.each([
    ['./bear.deb', 'bear.deb'],
    ['../bear.deb', '../bear.deb'],
    ['x/../pool/bear.deb', 'pool/bear.deb'],
    ['/pool/bear.deb', 'pool/bear.deb'],
  ])('has the file name %s where apt fetches it', async (filename, path) => {
    const stanza = aStanza('bear').replace('pool/bear.deb', filename);
    const { items, leftOut } = await readFiles(deb, aSuite({ 'main/binary-all/Packages': stanza }), SUITE);
    expect([items.at(-1)?.path, leftOut]).toEqual([path, []]);
  });

  it('has packages with a line that is not a field, as for apt, and without an architecture', async () => {
    const stanza = `${aStanza('bear').replace(/Architecture.*\n/, 'rubbish\n')}`;
    const { items, leftOut } = await readFiles(deb, aSuite({ 'main/binary-all/Packages': stanza }), SUITE);
    expect(items.at(-1)).toMatchObject({ path: 'pool/bear.deb', unitKey: { architecture: '' } });
    expect(leftOut).toEqual(["dists/stable/main/binary-all/Packages: line 3: 'rubbish', expected FIELD: VALUE"]);
  });

  it('with an odd line in Release has the other files', async () => {
    const { 'dists/stable/Release': release = '', ...others } = aSuite({ 'main/binary-all/Packages': GOOD });
    const odd = ` abc\n ab 5 main/x\n ${sha256('')} -1 main/y\n ${sha256('')} 0 ../../z\n`;
    const { items, leftOut } = await readFiles(deb, { ...others, 'dists/stable/Release': release + odd }, SUITE);
    expect(paths(items)).toEqual(['dists/stable/Release', 'dists/stable/main/binary-all/Packages', 'pool/good.deb']);
    expect(leftOut).toEqual([
      "dists/stable/Release: SHA256: 'abc', expected DIGEST SIZE NAME",
      "dists/stable/Release: SHA256: main/x: 'ab' is not a valid sha256 checksum, expected 64 hexadecimal digits",
      "dists/stable/Release: SHA256: size '-1' is not a number of bytes",
      'dists/stable/Release: location "../../z" leads out of the repository, expected a relative path',
    ]);
  });

  it('is refused for the checksum of an index, even if the index cannot be parsed', async () => {
    const files = aSuite({ 'main/binary-all/Packages': aStanza('bear') });
    for (const wrong of [aStanza('wolf'), '<html>']) {
      await expect(readFiles(deb, { ...files, 'dists/stable/main/binary-all/Packages': wrong }, SUITE)).rejects.toThrow(
        `Packages: expected sha256 ${sha256(aStanza('bear'))}, found ${sha256(wrong)}`,
      );
    }
  });

  it('needs a suite if the base has no index', async () => {
    await expect(readFiles(deb, {})).rejects.toThrow(
      'https://test/repo/: found neither Release nor Packages; a repository with suites needs --suite NAME',
    );
  });

  it('is read in any chunks and with any line ends', async () => {
    const text = `${aStanza('bear', 'Description: x\n continued: not a field\n\n')}\n\n${aStanza('wolf')}`;
    for (const [content, pieceSize] of [
      [text, 1],
      [text.replaceAll('\n', '\r\n'), 3],
    ] as const) {
      const { items } = await readFiles(deb, { Packages: content }, {}, { pieceSize });
      expect(paths(items)).toEqual(['pool/bear.deb', 'pool/wolf.deb', 'Packages']);
    }
  });
});
