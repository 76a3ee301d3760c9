import { describe, expect, it } from '@jest/globals';
import { files } from '../../../src/repositories/files.ts';
import { readFiles, readFolder, sha256 } from '../../support/importing.ts';
import { makeFilesRepository } from '../../support/repositories.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();
const D = 'ab'.repeat(32);

describe('a folder with a PULP_MANIFEST', () => {
  it('has what the manifest lists, and the manifest', async () => {
    const folder = newFolder();
    const built = makeFilesRepository(folder, { 'a.iso': 'A', 'sub/b c.iso': 'B', 'comma,d.iso': '' });
    const { items } = await readFolder(files, folder);
    const found = items.map(({ path, checksum, size }) => ({ path, sha256: checksum?.value, size }));
    expect(found.sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual(built);
    expect(items[0]).toMatchObject({ unitTypeId: 'iso', unitKey: { name: 'a.iso', checksum: sha256('A'), size: 1 } });
  });

  it('is refused if it lists nothing, or has too long a line', async () => {
    await expect(readFiles(files, { PULP_MANIFEST: '\n' })).rejects.toThrow(
      'PULP_MANIFEST: lists no files that can be served',
    );
    await expect(readFiles(files, { PULP_MANIFEST: `\n${'x'.repeat(2 ** 21)}` })).rejects.toThrow(
      'PULP_MANIFEST: line 2: a line is longer than 1048576 characters',
    );
  });

  it.each([
    ['a comment', `# made by hand\na.iso,${D},5\n`, 'a.iso'],
    ['quotes around all fields', `"a.iso","${D}","5"\n`, 'a.iso'],
    ['quotes in a name', `"a ""b"", c.iso",${D},5\n`, 'a "b", c.iso'],
    ['a comma in a name', `a, b.iso,${D},5\n`, 'a, b.iso'],
    ['a byte order mark', `\ufeffa.iso,${D},5\n`, 'a.iso'],
  ])('may have %s', async (_, manifest, path) => {
    const { items, leftOut } = await readFiles(files, { PULP_MANIFEST: manifest });
    expect([items[0]?.path, items[0]?.size, leftOut]).toEqual([path, 5, []]);
  });

  it('leaves out names that are not UTF-8', async () => {
    const manifest = Buffer.from(`b\xe9ar.iso,${D},5\nok.iso,${D},5\n`, 'latin1');
    const { items, leftOut } = await readFiles(files, { PULP_MANIFEST: manifest });
    expect(items.map(({ path }) => path)).toEqual(['ok.iso', 'PULP_MANIFEST']);
    expect(leftOut).toEqual(['PULP_MANIFEST: line 1: location "b\ufffdar.iso" is not UTF-8, expected a relative path']);
  });

  it('may have empty lines, spaces around numbers and upper-case digits', async () => {
    const { items } = await readFiles(files, { PULP_MANIFEST: `\r\na.iso, ${D.toUpperCase()} , 5\r\n\n` });
    expect(items[0]).toMatchObject({ path: 'a.iso', checksum: { value: D }, size: 5 });
  });

  for (const [line, message] of [
    ['a.iso', "PULP_MANIFEST: line 2: 'a.iso', expected NAME,SHA256,SIZE"],
    [`a.iso,${D},big`, 'expected NAME,SHA256,SIZE'],
    ['a.iso,abc,5', 'expected NAME,SHA256,SIZE'],
    [`a.iso,${D},9007199254740993`, "PULP_MANIFEST: line 2: size '9007199254740993' is not a number of bytes"],
    [`../a.iso,${D},5`, 'PULP_MANIFEST: line 2: location "../a.iso" leads out of the repository'],
  ] as const) {
    it(`leaves out the line ${line.replace(D, 'DIGEST')}`, async () => {
      const { items, leftOut } = await readFiles(files, { PULP_MANIFEST: `ok.iso,${D},5\n${line}\n` });
      expect(items.map(({ path }) => path)).toEqual(['ok.iso', 'PULP_MANIFEST']);
      expect(leftOut).toEqual([expect.stringContaining(message)]);
    });
  }
});
