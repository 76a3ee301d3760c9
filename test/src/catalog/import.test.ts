import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Checksum } from '../../../pipelines/model/index.ts';
import { importRepository, type Progress, toBase } from '../../../src/catalog/import.ts';
import { openSqliteCatalog, type SqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import { deb } from '../../../src/repositories/deb.ts';
import { files } from '../../../src/repositories/files.ts';
import type { Format } from '../../../src/repositories/format.ts';
import { yum } from '../../../src/repositories/yum.ts';
import { importFolder, sha256 } from '../../support/importing.ts';
import { readFileUrl } from '../../support/read-file-url.ts';
import {
  builtFiles,
  DEB_TOOLS,
  itNeeding,
  makeFilesRepository,
  makeSuiteRepository,
  makeYumRepository,
  YUM_TOOLS,
} from '../../support/repositories.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();

const listed = (catalog: SqliteCatalog, prefix = '/') =>
  [...catalog.entries.list(prefix)].map(({ path, revision }) => [path, revision]);

const digest = { algorithm: 'sha256', value: 'a'.repeat(64) } as const;
const itemAt = (path: string, checksum: Checksum = digest) => ({
  path,
  unitTypeId: 'iso',
  unitKey: { name: path },
  checksum,
  size: 1,
});

/** A format that lists paths, then fails if an error is given. */
const listing = (paths: readonly string[], error?: Error): Format =>
  async function* () {
    for (const path of paths) yield itemAt(path);
    if (error) throw error;
  };

const importer = 'a'.repeat(24);
const importPaths = (catalog: SqliteCatalog, prefix: string, format: Format, by = importer, strict = false) =>
  importRepository({ catalog, format, base: 'http://h/', prefix, read: readFileUrl, importer: by, strict });

describe('an import', () => {
  for (const [name, format, tools, make] of [
    ['yum', yum, YUM_TOOLS, (folder: string) => makeYumRepository(folder, [{ name: 'a++', version: '1~rc', size: 9 }])],
    [
      'deb',
      deb,
      DEB_TOOLS,
      (folder: string) => makeSuiteRepository(folder, [{ name: 'a++', version: '1~rc', size: 9 }]),
    ],
    ['files', files, [], (folder: string) => makeFilesRepository(folder, { 'a b%20+é#?.iso': 'A' })],
  ] as const) {
    itNeeding(tools)(`of a ${name} repository creates an entry per file, with its URL`, async () => {
      const folder = newFolder();
      const built = make(folder);
      const catalog = openSqliteCatalog(':memory:');
      const result = await importFolder(catalog, format, folder, '/repo', { suites: ['stable'] });
      expect(result).toMatchObject({ revision: 1, packages: 1, metadata: built.length - 1, removed: 0, missing: [] });
      expect(listed(catalog, '/repo')).toEqual(built.map(({ path }) => [`/repo/${path}`, 1]));
      for (const { path, url, checksum, size } of catalog.entries.list('/repo')) {
        const bytes: Uint8Array[] = [];
        for await (const chunk of readFileUrl(url)) bytes.push(chunk);
        const content = Buffer.concat(bytes);
        expect([path, content.length]).toEqual([path, size]);
        if (checksum?.algorithm === 'sha256') expect([path, sha256(content)]).toEqual([path, checksum.value]);
      }
    });
  }

  it('stores the keys of its units', async () => {
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'A' });
    const catalog = openSqliteCatalog(':memory:');
    await importFolder(catalog, files, folder, '/repo');
    const [entry] = catalog.entries.find('/repo/a.iso');
    expect(catalog.units.find('iso', entry!.unitId)).toEqual({ name: 'a.iso', checksum: sha256('A'), size: 1 });
  });

  it('may appear at the root', async () => {
    const catalog = openSqliteCatalog(':memory:');
    await importPaths(catalog, '/', listing(['a', 'b/c']));
    await importPaths(catalog, '/', listing(['a']));
    expect(listed(catalog)).toEqual([['/a', 2]]);
  });

  it('creates one entry for a file that is listed twice, unless the two differ', async () => {
    const catalog = openSqliteCatalog(':memory:');
    expect(await importPaths(catalog, '/r', listing(['a', 'a', 'b']))).toMatchObject({ packages: 2 });
    const differing: Format = async function* () {
      yield itemAt('a');
      yield { ...itemAt('a'), checksum: { algorithm: 'sha256', value: 'b'.repeat(64) } };
    };
    const problem = 'http://h/: lists /r/a twice, with different checksums';
    await expect(importPaths(catalog, '/r', differing, importer, true)).rejects.toThrow(problem);
    const { packages, leftOut } = await importPaths(catalog, '/r', differing);
    expect({ packages, leftOut }).toEqual({ packages: 1, leftOut: { count: 1, named: [problem] } });
    expect(catalog.entries.find('/r/a')).toMatchObject([{ checksum: digest }]);
  });

  it('names the first odd entries and counts the others', async () => {
    const catalog = openSqliteCatalog(':memory:');
    const doubled: Format = async function* () {
      for (let number = 0; number < 50; number += 1)
        for (const digit of 'abc') yield itemAt(`${number}`, { algorithm: 'sha256', value: digit.repeat(64) });
    };
    const { packages, leftOut } = await importPaths(catalog, '/r', doubled);
    expect([packages, leftOut.count, leftOut.named.length]).toEqual([50, 100, 20]);
  });

  it('may have files beside its prefix, and replaces and removes them with it', async () => {
    const catalog = openSqliteCatalog(':memory:');
    await importPaths(catalog, '/a/r/os', listing(['x', '../Packages/y', '../../../../../z']));
    expect([...catalog.entries.list('/')].map(({ path, url }) => [path, url])).toEqual([
      ['/a/r/Packages/y', 'http://h/Packages/y'],
      ['/a/r/os/x', 'http://h/x'],
      ['/z', 'http://h/z'],
    ]);
    expect(await importPaths(catalog, '/a/r/os', listing(['../Packages/n']))).toMatchObject({ removed: 3 });
    expect(listed(catalog)).toEqual([['/a/r/Packages/n', 2]]);
    catalog.entries.removeBelow('/a/r/os');
    expect(listed(catalog)).toEqual([]);
  });

  it('takes no path of another import', async () => {
    const catalog = openSqliteCatalog(':memory:');
    await importPaths(catalog, '/good', listing(['a.iso']));
    const { packages, leftOut } = await importPaths(catalog, '/evil', listing(['../good/a.iso', 'b']), 'b'.repeat(24));
    expect({ packages, leftOut }).toEqual({
      packages: 1,
      leftOut: {
        count: 1,
        named: ['http://h/: lists a file outside of /evil, and /good/a.iso belongs to another import'],
      },
    });
    expect(catalog.entries.find('/good/a.iso')).toHaveLength(1);
  });

  it('refuses a prefix that is not an absolute path', async () => {
    const catalog = openSqliteCatalog(':memory:');
    await expect(importPaths(catalog, 'repo', listing(['a']))).rejects.toThrow("prefix 'repo' does not begin with /");
  });

  it('takes the first of two digests of different algorithms, which may be of the same file', async () => {
    const catalog = openSqliteCatalog(':memory:');
    const twice: Format = async function* () {
      yield { ...itemAt('a'), checksum: { algorithm: 'sha256', value: 'b'.repeat(64) } };
      yield { ...itemAt('a'), checksum: { algorithm: 'md5', value: 'c'.repeat(32) } };
    };
    await importPaths(catalog, '/r', twice);
    expect(catalog.entries.find('/r/a')).toMatchObject([{ checksum: { algorithm: 'sha256' } }]);
  });

  it('reports its progress', async () => {
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'A', 'b.iso': 'B' });
    const seen: Progress[] = [];
    await importRepository({
      catalog: openSqliteCatalog(':memory:'),
      format: files,
      base: toBase(folder),
      prefix: '/r',
      read: readFileUrl,
      importer,
      onProgress: (progress) => seen.push(progress),
    });
    const [manifest] = builtFiles(folder).filter(({ path }) => path === 'PULP_MANIFEST');
    expect(seen).toEqual([{ file: 'PULP_MANIFEST', bytes: manifest!.size, items: 0 }]);
  });
});

describe('a re-import', () => {
  it('replaces the old revision by a new one', async () => {
    const catalog = openSqliteCatalog(':memory:');
    await importPaths(catalog, '/r', listing(['a', 'b']));
    const [before] = catalog.entries.find('/r/b');
    expect(await importPaths(catalog, '/r/', listing(['b', 'c']))).toMatchObject({ revision: 2, removed: 2 });
    expect(listed(catalog)).toEqual([
      ['/r/b', 2],
      ['/r/c', 2],
    ]);
    expect(catalog.entries.find('/r/b')[0]?.unitId).toBe(before?.unitId);
    expect(catalog.units.find('iso', before!.unitId)).toEqual({ name: 'b' });
  });

  it('removes the units that no entry refers to any more', async () => {
    const catalog = openSqliteCatalog(':memory:');
    await importPaths(catalog, '/r', listing(['a']));
    const [before] = catalog.entries.find('/r/a');
    await importPaths(catalog, '/r', listing(['b']));
    expect(catalog.units.find('iso', before!.unitId)).toBeUndefined();
  });

  it('leaves entries that it did not write: other prefixes, deeper ones, other importers, entries added by hand', async () => {
    const catalog = openSqliteCatalog(':memory:');
    await importPaths(catalog, '/r', listing(['a']));
    await importPaths(catalog, '/r/deep', listing(['b']));
    await importPaths(catalog, '/r-other', listing(['c']));
    await importPaths(catalog, '/r', listing(['d']), 'b'.repeat(24));
    catalog.entries.add({
      path: '/r/hand',
      importerId: importer,
      unitId: 'u',
      unitTypeId: 'iso',
      url: 'http://h',
      data: {},
    });
    expect(await importPaths(catalog, '/r', listing(['e', 'hand']))).toMatchObject({ revision: 2, removed: 1 });
    expect(listed(catalog)).toEqual([
      ['/r-other/c', 1],
      ['/r/d', 1],
      ['/r/deep/b', 1],
      ['/r/e', 2],
      ['/r/hand', 2],
      ['/r/hand', 1],
    ]);
  });

  it('that fails leaves the old revision unchanged', async () => {
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'A' });
    const catalog = openSqliteCatalog(':memory:');
    await importFolder(catalog, files, folder, '/r');
    const before = [...catalog.entries.list('/')];
    writeFileSync(join(folder, 'PULP_MANIFEST'), `new.iso,${sha256('x')},1\n${'x'.repeat(2 ** 21)}\n`);
    await expect(importFolder(catalog, files, folder, '/r')).rejects.toThrow('PULP_MANIFEST: line 2');
    const many = Array.from({ length: 2500 }, (_, number) => String(number));
    await expect(importPaths(catalog, '/r', listing(many, new Error('torn')))).rejects.toThrow('torn');
    expect([...catalog.entries.list('/')]).toEqual(before);
    expect(await importFolder(catalog, listing(['b']), folder, '/r')).toMatchObject({ revision: 2, removed: 2 });
  });

  it('becomes visible to another process all at once', async () => {
    const file = join(newFolder(), 'catalog.db');
    const writer = openSqliteCatalog(file);
    const reader = openSqliteCatalog(file);
    await importPaths(writer, '/r', listing(['a']));
    const seen: unknown[] = [];
    const watched: Format = async function* () {
      yield itemAt('a');
      for (let number = 0; number < 2000; number += 1) yield itemAt(`b${number}`);
      seen.push(listed(reader));
    };
    await importPaths(writer, '/r', watched);
    expect(seen).toEqual([[['/r/a', 1]]]);
    expect(listed(reader)).toHaveLength(2001);
    reader.close();
    writer.close();
  });
});

describe('a base', () => {
  it('is a URL with a slash at its end, or a folder', () => {
    expect(toBase('http://h/debian')).toBe('http://h/debian/');
    expect(toBase('https://h:8443/a%20b//')).toBe('https://h:8443/a%20b/');
    expect(toBase('/srv/a b%/')).toBe('file:///srv/a%20b%25/');
    expect(toBase('file:///srv/x')).toBe('file:///srv/x/');
  });

  for (const [text, message] of [
    ['http://', "'http://' is not a URL"],
    ['http://u:secret@h/', 'h: the URL must not contain credentials, expected --username and --password-file'],
    [
      'http://h/?token=1',
      "'http://h/?***': a repository URL must not contain ? or #; a token that each request needs is --query-token",
    ],
    ['ftp://h/zoo', "'ftp://h/zoo': ftp: is not supported, expected http:, https:, file: or a folder"],
  ] as const) {
    it(`is not ${text}`, () => {
      expect(() => toBase(text)).toThrow(message);
    });
  }
});

describe('the files of the revision before', () => {
  const importAt = (catalog: SqliteCatalog, now: number, ...paths: string[]) =>
    importRepository({
      ...{ catalog, format: listing(paths), base: 'http://h/', prefix: '/p', read: readFileUrl, importer },
      grace: { now, seconds: 10 },
    });
  const paths = (catalog: SqliteCatalog) => listed(catalog).map(([path]) => path);

  it('stay for their grace, which counts from the first revision without them', async () => {
    const catalog = openSqliteCatalog(':memory:');
    await importAt(catalog, 100, 'a', 'b');
    expect(await importAt(catalog, 105, 'b', 'c')).toMatchObject({ revision: 2, packages: 2, removed: 1 });
    expect(listed(catalog)).toEqual([
      ['/p/a', 1],
      ['/p/b', 2],
      ['/p/c', 2],
    ]);
    expect(catalog.entries.countOf('/p', importer)).toBe(2);
    await importAt(catalog, 114, 'c');
    expect(paths(catalog)).toEqual(['/p/a', '/p/b', '/p/c']);
    await importAt(catalog, 115, 'c');
    expect(paths(catalog)).toEqual(['/p/b', '/p/c']);
    catalog.close();
  });

  it('belong to the repository again if a revision has them again', async () => {
    const catalog = openSqliteCatalog(':memory:');
    await importAt(catalog, 100, 'a');
    await importAt(catalog, 101, 'b');
    await importAt(catalog, 102, 'a');
    await importAt(catalog, 111, 'a');
    expect(catalog.entries.find('/p/a')).toMatchObject([{ revision: 4, data: {} }]);
    catalog.close();
  });

  it('are not listed, and go with everything below their prefix', async () => {
    const catalog = openSqliteCatalog(':memory:');
    await importAt(catalog, 100, '../q/a', 'a', 'b');
    await importAt(catalog, 101, 'b');
    expect(catalog.entries.children('/p/', undefined, 9).map(({ name }) => name)).toEqual(['b']);
    expect(paths(catalog)).toEqual(['/p/a', '/p/b', '/q/a']);
    expect(catalog.entries.removeBelow('/p')).toBe(3);
    catalog.close();
  });
});
