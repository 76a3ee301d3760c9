import { describe, expect, it } from '@jest/globals';
import { files } from '../../../src/repositories/files.ts';
import { readFiles, sha256 } from '../../support/importing.ts';

const A = 'a'.repeat(64);
const FEDORA = `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

# Zoo-1.iso: 2231 bytes
SHA256 (Zoo-1.iso) = ${A}
SHA512 (b (2).iso) = ${'b'.repeat(128)}
-----BEGIN PGP SIGNATURE-----

iQIzBAEBCAAdFiEE
=abcd
-----END PGP SIGNATURE-----
`;

const read = async (contents: Record<string, string>, lists?: string[]) =>
  (await readFiles(files, contents, { lists })).items
    .filter(({ unitTypeId }) => unitTypeId === 'iso')
    .map(({ path, checksum, size }) => [path, `${checksum?.algorithm}:${checksum?.value.slice(0, 2)}`, size]);

describe('a checksum list', () => {
  it.each([
    [
      'as GNU’s tools write it',
      `${A}  a b.iso\n${'1'.repeat(32)} *./sub/c.iso\n`,
      [
        ['a b.iso', 'sha256:aa', undefined],
        ['sub/c.iso', 'md5:11', undefined],
      ],
    ],
    ['with an escaped name', `\\${A}  a\\\\b.iso\n`, [['a\\b.iso', 'sha256:aa', undefined]]],
    [
      'as Fedora writes and signs it',
      FEDORA,
      [
        ['Zoo-1.iso', 'sha256:aa', 2231],
        ['b (2).iso', 'sha512:bb', undefined],
      ],
    ],
  ])('is read %s', async (_, list, expected) => expect(await read({ SHA256SUMS: list })).toEqual(expected));

  it('has a name of its own, if that is given, and lists files of its folder', async () =>
    expect((await read({ 'x/Zoo-1-CHECKSUM': FEDORA }, ['x/Zoo-1-CHECKSUM'])).map(([path]) => path)).toEqual([
      'x/Zoo-1.iso',
      'x/b (2).iso',
    ]));

  it('can be of one file, after which it is named', async () =>
    expect(await read({ 'a.iso.sha256': `${A}\n` }, ['a.iso.sha256'])).toEqual([['a.iso', 'sha256:aa', undefined]]));

  it('is an entry with its signature, and not as it names itself', async () => {
    const list = `${A}  a.iso\n${'0'.repeat(64)}  SHA256SUMS\n`;
    const { items } = await readFiles(files, { SHA256SUMS: list, 'SHA256SUMS.gpg': 'signature' });
    expect(items.slice(1)).toMatchObject([
      { path: 'SHA256SUMS', checksum: { value: sha256(list) }, size: list.length },
      { path: 'SHA256SUMS.gpg', checksum: { value: sha256('signature') } },
    ]);
  });

  it('adds to a PULP_MANIFEST', async () =>
    expect(await read({ PULP_MANIFEST: `a.iso,${A},3\n`, MORE: `${A}  b.iso\n` }, ['MORE'])).toEqual([
      ['a.iso', 'sha256:aa', 3],
      ['b.iso', 'sha256:aa', undefined],
    ]));

  it.each([
    ['a page', '<html>\n', "SHA256SUMS: line 2: '<html>', expected DIGEST NAME"],
    ['a digest of no known length', `${A}ab  a.iso\n`, "unknown checksum type 'of 66 digits'"],
    ['a path out of the repository', `${A}  ../a.iso\n`, 'leads out of the repository'],
  ])('with %s has the other files', async (_, odd, message) => {
    const { items, leftOut } = await readFiles(files, { SHA256SUMS: `${A}  good.iso\n${odd}` });
    expect(items.map(({ path }) => path)).toEqual(['good.iso', 'SHA256SUMS']);
    expect(leftOut).toEqual([expect.stringContaining(message)]);
  });

  it('without any file is refused', async () => {
    for (const list of ['\n', 'odd\n'])
      await expect(read({ SHA256SUMS: list })).rejects.toThrow('SHA256SUMS: lists no files that can be served');
  });

  it('is not looked for if the selection excludes it', () =>
    expect(read({ SHA256SUMS: `${A}  a.iso\n` }, [])).rejects.toThrow('PULP_MANIFEST: 404'));

  it('is asked for if there is neither a manifest nor a list', () =>
    expect(read({})).rejects.toThrow('found neither PULP_MANIFEST nor one of SHA512SUMS, SHA256SUMS'));
});
