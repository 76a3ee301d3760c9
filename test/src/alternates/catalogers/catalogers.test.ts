import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { lastValueFrom, of, throwError } from 'rxjs';
import { type Cataloger, placeOf } from '../../../../src/alternates/catalogers/cataloger.ts';
import { CATALOGERS, deb, files, yum } from '../../../../src/alternates/catalogers/index.ts';
import { rhui } from '../../../../src/alternates/catalogers/rhui.ts';
import type { Format, FoundUnit } from '../../../../src/repositories/format.ts';
import { readFiles, readFolder, sha256 } from '../../../support/importing.ts';
import {
  DEB_TOOLS,
  itNeeding,
  makeFilesRepository,
  makeSuiteRepository,
  makeYumRepository,
  YUM_TOOLS,
} from '../../../support/repositories.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

const newFolder = temporaryFolders();

/**
 * The units of a cataloger. They have fewer fields than a format's items; the helpers do not read
 * the others.
 */
const formatOf = ({ read }: Cataloger): Format => read as unknown as Format;
const inFolder = async (cataloger: Cataloger, folder: string, selection = {}): Promise<readonly FoundUnit[]> =>
  (await readFolder(formatOf(cataloger), folder, selection)).items;
const inFiles = async (cataloger: Cataloger, contents: Readonly<Record<string, string | Uint8Array>>) =>
  (await readFiles(formatOf(cataloger), contents)).items as readonly FoundUnit[];

const PRIMARY = gzipSync('<metadata xmlns="http://linux.duke.edu/metadata/common" packages="0"></metadata>');
const DELTAS = `<?xml version="1.0"?><prestodelta>
  <newpackage name="bear" epoch="1" version="4.1" release="2" arch="noarch">
    <delta oldepoch="0" oldversion="4.0" oldrelease="1"><filename>drpms/bear-4.0-1_4.1-2.noarch.drpm</filename>
      <sequence>bear-4.0-1-dead</sequence><size>99</size><checksum type="sha">${'ab'.repeat(20)}</checksum></delta>
    <delta oldepoch="0" oldversion="3.9" oldrelease="1"><filename>drpms/bear-3.9-1_4.1-2.noarch.drpm</filename>
      <sequence>bear-3.9-1-dead</sequence><size>98</size><checksum type="sha256">${'cd'.repeat(32)}</checksum></delta>
  </newpackage>
</prestodelta>`;

const withDeltas = (name: string, content: Uint8Array, checksum = sha256(content)) => {
  const data = (type: string, href: string, digest: string) =>
    `<data type="${type}"><checksum type="sha256">${digest}</checksum><location href="${href}"/></data>`;
  return {
    'repodata/repomd.xml': `<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision>
      ${data('primary', 'repodata/primary.xml.gz', sha256(PRIMARY))}${data('prestodelta', name, checksum)}</repomd>`,
    'repodata/primary.xml.gz': PRIMARY,
    [name]: content,
  };
};

describe('the yum cataloger', () => {
  itNeeding(YUM_TOOLS)('finds packages and source packages, and no metadata', async () => {
    const folder = newFolder();
    makeYumRepository(folder, [{ name: 'bear', version: '4.1', size: 10 }], { source: true });
    const found = await inFolder(yum, folder);
    expect(found.map(({ unitTypeId, path }) => `${unitTypeId} ${path}`).sort()).toEqual([
      'rpm bear-4.1-1.noarch.rpm',
      'srpm bear-4.1-1.src.rpm',
    ]);
  });

  it.each([
    ['gz, with its digest in the name', 'repodata/0123-prestodelta.xml.gz', gzipSync(DELTAS)],
    ['plain, as older tools name it', 'repodata/deltainfo.xml', Buffer.from(DELTAS)],
  ])('finds delta packages (%s)', async (_, name, content) => {
    expect(await inFiles(yum, withDeltas(name, content))).toEqual([
      {
        path: 'drpms/bear-4.0-1_4.1-2.noarch.drpm',
        unitTypeId: 'drpm',
        unitKey: {
          epoch: '1',
          version: '4.1',
          release: '2',
          filename: 'drpms/bear-4.0-1_4.1-2.noarch.drpm',
          checksumtype: 'sha1',
          checksum: 'ab'.repeat(20),
        },
        checksum: { algorithm: 'sha1', value: 'ab'.repeat(20) },
        size: 99,
      },
      expect.objectContaining({ path: 'drpms/bear-3.9-1_4.1-2.noarch.drpm' }),
    ]);
  });

  it('rejects delta packages whose file is not the one that repomd.xml lists', async () => {
    const wrong = withDeltas('repodata/prestodelta.xml', Buffer.from(DELTAS), 'ee'.repeat(32));
    await expect(inFiles(yum, wrong)).rejects.toThrow(`repodata/prestodelta.xml: expected sha256 ${'ee'.repeat(32)}`);
  });

  it('has a delta beside the repository at its place, which counts only if it is below the source’s base', async () => {
    const evil = Buffer.from(DELTAS.replace('drpms/bear-4.0', '../../etc/bear-4.0'));
    const [first] = (await inFiles(yum, withDeltas('repodata/prestodelta.xml', evil))).filter(
      ({ unitTypeId }) => unitTypeId === 'drpm',
    );
    expect(first?.path).toBe('../../etc/bear-4.0-1_4.1-2.noarch.drpm');
  });

  const TREE =
    '[header]\nversion = 1.2\n\n[general]\nfamily = Zoo Linux\nversion: 8.1\narch = x86_64\n[tree]\narch = s390\n';
  const distribution = (variant: string, id: string) => ({
    path: '',
    unitTypeId: 'distribution',
    unitKey: { distribution_id: id, family: 'Zoo Linux', variant, version: '8.1', arch: 'x86_64' },
  });
  const repository = withDeltas('repodata/prestodelta.xml', Buffer.from('<prestodelta/>'));

  it.each([
    ['.treeinfo', TREE, distribution('', 'ks-Zoo Linux-8.1-x86_64')],
    [
      'treeinfo',
      TREE.replace('[tree]', 'variant = Server\n[tree]'),
      distribution('Server', 'ks-Zoo Linux-Server-8.1-x86_64'),
    ],
  ])('finds the distribution of a %s', async (name, text, unit) =>
    expect(await inFiles(yum, { ...repository, [name]: text })).toEqual([unit]),
  );

  it('finds no distribution in a treeinfo that does not name one', async () =>
    expect(await inFiles(yum, { ...repository, '.treeinfo': '[general]\nfamily = Zoo\n' })).toEqual([]));
});

describe('the files cataloger', () => {
  it('finds the files of a manifest, and not the manifest', async () => {
    const folder = newFolder();
    const built = makeFilesRepository(folder, { 'a.iso': 'abc', 'b/c, d.iso': 'x' });
    const found = await inFolder(files, folder);
    expect(found.map(({ path }) => path)).toEqual(['a.iso', 'b/c, d.iso']);
    expect(found[0]).toMatchObject({
      unitTypeId: 'iso',
      unitKey: { name: 'a.iso', checksum: built.find(({ path }) => path === 'a.iso')?.sha256, size: 3 },
    });
  });
});

describe('the deb cataloger', () => {
  it.each([
    ['', { path: '' }],
    ['flat/', { path: 'flat/' }],
    ['dists/stable/', { path: '', selection: { suites: ['stable'] } }],
    ['debian/dists/stable-updates/', { path: 'debian/', selection: { suites: ['stable-updates'] } }],
    ['dists/a%20b/', { path: '', selection: { suites: ['a b'] } }],
    ['dists/a%zz/', { path: '', selection: { suites: ['a%zz'] } }],
  ])('turns path %j into the repository %j', (path, place) => expect(placeOf(deb, path)).toEqual(place));

  itNeeding(DEB_TOOLS)('finds the packages of a suite', async () => {
    const folder = newFolder();
    makeSuiteRepository(folder, [{ name: 'bear', version: '4.1', size: 10 }]);
    const found = await inFolder(deb, folder, { suites: ['stable'] });
    expect(found).toMatchObject([{ path: 'pool/main/bear_4.1_all.deb', unitTypeId: 'deb' }]);
  });
});

describe('the rhui cataloger', () => {
  const identity = new Map([
    ['http://me/document', Buffer.from([0xfb, 0xff, 0xfe, 0x01])],
    ['http://me/signature', Buffer.from('signed')],
  ]);
  const urls = { document: 'http://me/document', signature: 'http://me/signature' };

  it('presents document and signature in base64url, with padding', async () => {
    const headers = rhui(yum, urls).headers?.((url) => {
      const content = identity.get(url) ?? Buffer.from('');
      return of(content.subarray(0, 2), content.subarray(2));
    });
    expect(await lastValueFrom(headers ?? of())).toEqual([
      ['X-RHUI-ID', '-__-AQ=='],
      ['X-RHUI-SIGNATURE', 'c2lnbmVk'],
    ]);
  });

  it('fails without an identity', async () => {
    const headers = rhui(yum, urls).headers?.(() => throwError(() => new Error('not in a cloud')));
    await expect(lastValueFrom(headers ?? of())).rejects.toThrow('not in a cloud');
  });
});

it('each type of source has one cataloger', () =>
  expect(CATALOGERS.map(({ type }) => type)).toEqual(['yum', 'rhui', 'files', 'deb']));
