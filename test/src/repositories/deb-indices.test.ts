import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { deb } from '../../../src/repositories/deb.ts';
import type { RepositoryItem } from '../../../src/repositories/format.ts';
import { readFiles, sha256 } from '../../support/importing.ts';

type Content = string | Uint8Array;
const md5 = (content: Content): string => createHash('md5').update(content).digest('hex');

const listing = (files: Readonly<Record<string, Content>>, digest: (content: Content) => string): string =>
  Object.entries(files)
    .map(([path, content]) => ` ${digest(content)} ${content.length} ${path}\n`)
    .join('');

/** A suite whose `Release` lists all of `files`, and which has those of `there`. */
const aSuite = (files: Readonly<Record<string, Content>>, fields = '', there = files): Record<string, Content> => ({
  'dists/s/Release': `Suite: s\n${fields}MD5Sum:\n${listing(files, md5)}SHA256:\n${listing(files, sha256)}`,
  ...Object.fromEntries(Object.entries(there).map(([path, content]) => [`dists/s/${path}`, content])),
});

const SUITE = { suites: ['s'] };
const PACKAGES = { 'main/binary-amd64/Packages': '' };
const found = (items: readonly RepositoryItem[], part: string) =>
  items
    .filter(({ path }) => path.includes(part))
    .map(({ path, checksum, size }) => `${path} ${checksum?.algorithm}:${checksum?.value.slice(0, 4)} ${size}`);

const SOURCE = `Package: bear
Directory: pool/main/b/bear
Files:
 ${'1'.repeat(32)} 10 bear_4.1.dsc
 ${'2'.repeat(32)} 20 bear_4.1.tar.xz
 ${'5'.repeat(32)} 50 bear_4.1.tar.xz.asc
Checksums-Sha256:
 ${'3'.repeat(64)} 10 bear_4.1.dsc
 ${'4'.repeat(64)} 20 bear_4.1.tar.xz
`;

describe('source packages', () => {
  it('have each of their files, with the best checksum of each', async () => {
    const { items } = await readFiles(deb, aSuite({ ...PACKAGES, 'main/source/Sources.gz': gzipSync(SOURCE) }), SUITE);
    expect(found(items, 'pool/')).toEqual([
      'pool/main/b/bear/bear_4.1.dsc sha256:3333 10',
      'pool/main/b/bear/bear_4.1.tar.xz sha256:4444 20',
      'pool/main/b/bear/bear_4.1.tar.xz.asc md5:5555 50',
    ]);
  });

  it('are those of architecture source', async () => {
    const suite = aSuite({ ...PACKAGES, 'main/source/Sources': SOURCE });
    const read = async (architectures: string[]) =>
      found((await readFiles(deb, suite, { ...SUITE, architectures })).items, 'pool/').length;
    expect([await read(['amd64']), await read(['amd64', 'source'])]).toEqual([0, 3]);
  });

  it('can be all that a flat repository has', async () => {
    const { items } = await readFiles(deb, { Sources: SOURCE.replace('pool/main/b/bear', '.') });
    expect(items.map(({ path }) => path)).toEqual([
      'bear_4.1.dsc',
      'bear_4.1.tar.xz',
      'bear_4.1.tar.xz.asc',
      'Sources',
    ]);
  });

  it('lie where apt fetches them, and an odd line costs one file', async () => {
    const odd = SOURCE.replace('pool/main/b/bear', '../src').replace(/ \d+ bear_4.1.dsc/, ' -1 bear_4.1.dsc');
    const { items, leftOut } = await readFiles(deb, { Sources: odd });
    expect(items.map(({ path }) => path)).toContain('../src/bear_4.1.tar.xz');
    expect(leftOut).toEqual(["Sources: source package bear: files: size '-1' is not a number of bytes"]);
  });
});

describe('patches of an index', () => {
  const INDEX = `SHA256-Current: ${'0'.repeat(64)} 99
SHA256-History:
 ${'1'.repeat(64)} 98 T-1
SHA256-Patches:
 ${'2'.repeat(64)} 7 T-1
`;
  const PATH = 'main/binary-amd64/Packages.diff';

  it('are compressed, and have the checksums of that', async () => {
    const index = `${INDEX}SHA256-Download:\n ${'3'.repeat(64)} 5 T-1.gz\n`;
    const { items } = await readFiles(deb, aSuite({ ...PACKAGES, [`${PATH}/Index`]: index }), SUITE);
    expect(found(items, `${PATH}/T`)).toEqual([`dists/s/${PATH}/T-1.gz sha256:3333 5`]);
  });

  it('have no checksum if the index states only those of the unpacked ones', async () => {
    const { items } = await readFiles(deb, aSuite({ ...PACKAGES, [`${PATH}/Index`]: INDEX }), SUITE);
    expect(found(items, `${PATH}/T`)).toEqual([`dists/s/${PATH}/T-1.gz undefined:undefined undefined`]);
  });
});

describe('images of the installer', () => {
  const FOLDER = 'main/installer-amd64/current/images';
  const lists = {
    [`${FOLDER}/MD5SUMS`]: `${'1'.repeat(32)}  ./netboot/mini.iso\n`,
    [`${FOLDER}/SHA256SUMS`]: `${'2'.repeat(64)}  ./netboot/mini.iso\n`,
  };

  it('are those of the strongest list', async () => {
    const { items } = await readFiles(deb, aSuite({ ...PACKAGES, ...lists }), SUITE);
    expect(found(items, 'mini.iso')).toEqual([`dists/s/${FOLDER}/netboot/mini.iso sha256:2222 undefined`]);
  });

  it('are those of another list if the feed has no other', async () => {
    const { [`${FOLDER}/SHA256SUMS`]: _, ...others } = lists;
    const { items, missing } = await readFiles(
      deb,
      aSuite({ ...PACKAGES, ...lists }, '', { ...PACKAGES, ...others }),
      SUITE,
    );
    expect(found(items, 'mini.iso')).toEqual([`dists/s/${FOLDER}/netboot/mini.iso md5:1111 undefined`]);
    expect(missing).toEqual([]);
  });

  it('belong to their architecture', async () => {
    const { items } = await readFiles(deb, aSuite({ ...PACKAGES, 'main/binary-arm64/Packages': '', ...lists }), {
      ...SUITE,
      architectures: ['arm64'],
    });
    expect(found(items, 'mini.iso')).toEqual([]);
  });
});

it('what Release lists but the feed lacks is reported, and breaks nothing', async () => {
  const listed = {
    ...PACKAGES,
    'main/source/Sources': SOURCE,
    'main/binary-amd64/Packages.diff/Index': 'SHA256-Current: x\n',
    'main/installer-amd64/current/images/SHA256SUMS': 'x',
    'main/i18n/Translation-en.bz2': 'x',
  };
  const { items, missing } = await readFiles(deb, aSuite(listed, '', PACKAGES), SUITE);
  expect(found(items, 'Translation-en')).toHaveLength(1);
  expect(missing).toEqual([
    'dists/s/main/source/Sources',
    'dists/s/main/binary-amd64/Packages.diff/Index',
    'dists/s/main/installer-amd64/current/images/',
  ]);
});

it('every digest of a file is a name of it, if there are such names', async () => {
  const { items } = await readFiles(deb, aSuite(PACKAGES, 'Acquire-By-Hash: yes\n'), SUITE);
  expect(found(items, 'by-hash')).toEqual([
    `dists/s/main/binary-amd64/by-hash/SHA256/${sha256('')} sha256:e3b0 0`,
    `dists/s/main/binary-amd64/by-hash/MD5Sum/${md5('')} sha256:e3b0 0`,
  ]);
});
