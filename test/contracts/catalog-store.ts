import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Checksum } from '../../pipelines/model/index.ts';
import type { Answer, Listed } from '../../src/catalog/answer.ts';
import { importRepository, type Progress, toBase } from '../../src/catalog/import.ts';
import type { CatalogStore } from '../../src/catalog/store.ts';
import type { NewEntry } from '../../src/catalog/stored-entry.ts';
import type { StoredRepository } from '../../src/catalog/stored-repository.ts';
import { deb } from '../../src/repositories/deb.ts';
import { files } from '../../src/repositories/files.ts';
import type { Format } from '../../src/repositories/format.ts';
import { yum } from '../../src/repositories/yum.ts';
import { importFolder, sha256 } from '../support/importing.ts';
import { readFileUrl } from '../support/read-file-url.ts';
import {
  builtFiles,
  DEB_TOOLS,
  itNeeding,
  makeFilesRepository,
  makeSuiteRepository,
  makeYumRepository,
  YUM_TOOLS,
} from '../support/repositories.ts';
import { temporaryFolders } from '../support/temporary.ts';

const all = async <T>(values: Listed<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
};

const listed = async (catalog: CatalogStore, prefix = '/') =>
  (await all(catalog.entries.list(prefix))).map(({ path, revision }) => [path, revision]);

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
const importPaths = (catalog: CatalogStore, prefix: string, format: Format, by = importer, strict = false) =>
  importRepository({ catalog, format, base: 'http://h/', prefix, read: readFileUrl, importer: by, strict });

const anEntry = (over: Partial<NewEntry> = {}): NewEntry => ({
  path: '/p/bear.rpm',
  importerId: importer,
  unitId: 'unit-1',
  unitTypeId: 'rpm',
  url: 'https://feed.example.com/bear.rpm',
  checksum: { algorithm: 'sha256', value: 'c'.repeat(64) },
  size: 7,
  revision: 1,
  data: {},
  ...over,
});

const B = 'b'.repeat(24);

const load = async (catalog: CatalogStore, entries: readonly NewEntry[]): Promise<void> => {
  const staging = await catalog.entries.stage();
  await staging.write(entries);
  await staging.publishAsIs();
};

const repository: StoredRepository = {
  ...{ prefix: '/r', importerId: importer, format: 'yum', base: 'http://h/', selection: { lists: ['x'] } },
  ...{ strict: false, packages: 1, metadata: 2, succeeded: 3, attempted: 4 },
};

/** A store that answers at once throws. */
const attempt = async <T>(work: () => Answer<T>): Promise<T> => work();

/** A catalog of our own, as one or two processes see it. */
export interface CatalogStores {
  /** Opens an empty one. */
  open(): Promise<CatalogStore>;
  /** Opens an empty one twice. */
  openTwo(): Promise<readonly [CatalogStore, CatalogStore]>;
}

/** The contract of CatalogStore, for every implementation. */
export const catalogStoreContract = (name: string, { open, openTwo }: CatalogStores): void => {
  describe(`${name} as a catalog of our own`, () => {
    const newFolder = temporaryFolders();
    describe('an import', () => {
      for (const [name, format, tools, make] of [
        [
          'yum',
          yum,
          YUM_TOOLS,
          (folder: string) => makeYumRepository(folder, [{ name: 'a++', version: '1~rc', size: 9 }]),
        ],
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
          const catalog = await open();
          const result = await importFolder(catalog, format, folder, '/repo', { suites: ['stable'] });
          expect(result).toMatchObject({
            revision: 1,
            packages: 1,
            metadata: built.length - 1,
            removed: 0,
            missing: [],
          });
          expect(await listed(catalog, '/repo')).toEqual(built.map(({ path }) => [`/repo/${path}`, 1]));
          for (const { path, url, checksum, size } of await all(catalog.entries.list('/repo'))) {
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
        const catalog = await open();
        await importFolder(catalog, files, folder, '/repo');
        const [entry] = await catalog.entries.find('/repo/a.iso');
        expect(await catalog.units.find('iso', entry!.unitId)).toEqual({
          name: 'a.iso',
          checksum: sha256('A'),
          size: 1,
        });
      });

      it('may appear at the root', async () => {
        const catalog = await open();
        await importPaths(catalog, '/', listing(['a', 'b/c']));
        await importPaths(catalog, '/', listing(['a']));
        expect(await listed(catalog)).toEqual([['/a', 2]]);
      });

      it('creates one entry for a file that is listed twice, unless the two differ', async () => {
        const catalog = await open();
        expect(await importPaths(catalog, '/r', listing(['a', 'a', 'b']))).toMatchObject({ packages: 2 });
        const differing: Format = async function* () {
          yield itemAt('a');
          yield { ...itemAt('a'), checksum: { algorithm: 'sha256', value: 'b'.repeat(64) } };
        };
        const problem = 'http://h/: lists /r/a twice, with different checksums';
        await expect(importPaths(catalog, '/r', differing, importer, true)).rejects.toThrow(problem);
        const { packages, leftOut } = await importPaths(catalog, '/r', differing);
        expect({ packages, leftOut }).toEqual({ packages: 1, leftOut: { count: 1, named: [problem] } });
        expect(await catalog.entries.find('/r/a')).toMatchObject([{ checksum: digest }]);
      });

      it('names the first odd entries and counts the others', async () => {
        const catalog = await open();
        const doubled: Format = async function* () {
          for (let number = 0; number < 50; number += 1)
            for (const digit of 'abc') yield itemAt(`${number}`, { algorithm: 'sha256', value: digit.repeat(64) });
        };
        const { packages, leftOut } = await importPaths(catalog, '/r', doubled);
        expect([packages, leftOut.count, leftOut.named.length]).toEqual([50, 100, 20]);
      });

      it('may have files beside its prefix, and replaces and removes them with it', async () => {
        const catalog = await open();
        await importPaths(catalog, '/a/r/os', listing(['x', '../Packages/y', '../../../../../z']));
        expect((await all(catalog.entries.list('/'))).map(({ path, url }) => [path, url])).toEqual([
          ['/a/r/Packages/y', 'http://h/Packages/y'],
          ['/a/r/os/x', 'http://h/x'],
          ['/z', 'http://h/z'],
        ]);
        expect(await importPaths(catalog, '/a/r/os', listing(['../Packages/n']))).toMatchObject({ removed: 3 });
        expect(await listed(catalog)).toEqual([['/a/r/Packages/n', 2]]);
        await catalog.entries.removeBelow('/a/r/os');
        expect(await listed(catalog)).toEqual([]);
      });

      it('takes no path of another import', async () => {
        const catalog = await open();
        await importPaths(catalog, '/good', listing(['a.iso']));
        const { packages, leftOut } = await importPaths(
          catalog,
          '/evil',
          listing(['../good/a.iso', 'b']),
          'b'.repeat(24),
        );
        expect({ packages, leftOut }).toEqual({
          packages: 1,
          leftOut: {
            count: 1,
            named: ['http://h/: lists a file outside of /evil, and /good/a.iso belongs to another import'],
          },
        });
        expect(await catalog.entries.find('/good/a.iso')).toHaveLength(1);
      });

      it('refuses a prefix that is not an absolute path', async () => {
        const catalog = await open();
        await expect(importPaths(catalog, 'repo', listing(['a']))).rejects.toThrow(
          "prefix 'repo' does not begin with /",
        );
      });

      it('takes the first of two digests of different algorithms, which may be of the same file', async () => {
        const catalog = await open();
        const twice: Format = async function* () {
          yield { ...itemAt('a'), checksum: { algorithm: 'sha256', value: 'b'.repeat(64) } };
          yield { ...itemAt('a'), checksum: { algorithm: 'md5', value: 'c'.repeat(32) } };
        };
        await importPaths(catalog, '/r', twice);
        expect(await catalog.entries.find('/r/a')).toMatchObject([{ checksum: { algorithm: 'sha256' } }]);
      });

      it('reports its progress', async () => {
        const folder = newFolder();
        makeFilesRepository(folder, { 'a.iso': 'A', 'b.iso': 'B' });
        const seen: Progress[] = [];
        await importRepository({
          catalog: await open(),
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
        const catalog = await open();
        await importPaths(catalog, '/r', listing(['a', 'b']));
        const [before] = await catalog.entries.find('/r/b');
        expect(await importPaths(catalog, '/r/', listing(['b', 'c']))).toMatchObject({ revision: 2, removed: 2 });
        expect(await listed(catalog)).toEqual([
          ['/r/b', 2],
          ['/r/c', 2],
        ]);
        expect((await catalog.entries.find('/r/b'))[0]?.unitId).toBe(before?.unitId);
        expect(await catalog.units.find('iso', before!.unitId)).toEqual({ name: 'b' });
      });

      it('removes the units that no entry refers to any more', async () => {
        const catalog = await open();
        await importPaths(catalog, '/r', listing(['a']));
        const [before] = await catalog.entries.find('/r/a');
        await importPaths(catalog, '/r', listing(['b']));
        expect(await catalog.units.find('iso', before!.unitId)).toBeUndefined();
      });

      it('leaves entries that it did not write: other prefixes, deeper ones, other importers, entries added by hand', async () => {
        const catalog = await open();
        await importPaths(catalog, '/r', listing(['a']));
        await importPaths(catalog, '/r/deep', listing(['b']));
        await importPaths(catalog, '/r-other', listing(['c']));
        await importPaths(catalog, '/r', listing(['d']), 'b'.repeat(24));
        await catalog.entries.add({
          path: '/r/hand',
          importerId: importer,
          unitId: 'u',
          unitTypeId: 'iso',
          url: 'http://h',
          data: {},
        });
        expect(await importPaths(catalog, '/r', listing(['e', 'hand']))).toMatchObject({ revision: 2, removed: 1 });
        expect(await listed(catalog)).toEqual([
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
        const catalog = await open();
        await importFolder(catalog, files, folder, '/r');
        const before = await all(catalog.entries.list('/'));
        writeFileSync(join(folder, 'PULP_MANIFEST'), `new.iso,${sha256('x')},1\n${'x'.repeat(2 ** 21)}\n`);
        await expect(importFolder(catalog, files, folder, '/r')).rejects.toThrow('PULP_MANIFEST: line 2');
        const many = Array.from({ length: 2500 }, (_, number) => String(number));
        await expect(importPaths(catalog, '/r', listing(many, new Error('torn')))).rejects.toThrow('torn');
        expect(await all(catalog.entries.list('/'))).toEqual(before);
        expect(await importFolder(catalog, listing(['b']), folder, '/r')).toMatchObject({ revision: 2, removed: 2 });
      });

      it('becomes visible to another process all at once', async () => {
        const [writer, reader] = await openTwo();
        await importPaths(writer, '/r', listing(['a']));
        const seen: unknown[] = [];
        const watched: Format = async function* () {
          yield itemAt('a');
          for (let number = 0; number < 2000; number += 1) yield itemAt(`b${number}`);
          seen.push(await listed(reader));
        };
        await importPaths(writer, '/r', watched);
        expect(seen).toEqual([[['/r/a', 1]]]);
        expect(await listed(reader)).toHaveLength(2001);
      });
    });

    describe('a publication that has to be permitted', () => {
      const entry = (path: string) => ({
        ...{ path, importerId: importer, unitId: 'u', unitTypeId: 'iso', url: 'http://h/x', revision: 0, data: {} },
      });

      it('sees what another process has stored since its staging began, and changes nothing if it is not', async () => {
        const [catalog, other] = await openTwo();
        await importPaths(catalog, '/r', listing(['a']));
        const staging = await catalog.entries.stage();
        await staging.write([entry('/r/b')]);
        await other.repositories.save(repository);
        const seen: (readonly StoredRepository[])[] = [];
        const refused = async () =>
          staging.publishRevision(importer, '/r', {
            permit: (stored) => {
              seen.push(stored);
              throw new Error('not permitted');
            },
            repository: () => repository,
          });
        await expect(refused()).rejects.toThrow('not permitted');
        await staging.discard();
        expect(seen).toEqual([[repository]]);
        for (const one of [catalog, other]) expect(await listed(one)).toEqual([['/r/a', 1]]);
        expect(await importPaths(other, '/r', listing(['c']))).toMatchObject({ revision: 2 });
      });
    });

    describe('the files of the revision before', () => {
      const importAt = (catalog: CatalogStore, now: number, ...paths: string[]) =>
        importRepository({
          ...{ catalog, format: listing(paths), base: 'http://h/', prefix: '/p', read: readFileUrl, importer },
          grace: { now, seconds: 10 },
        });
      const paths = async (catalog: CatalogStore) => (await listed(catalog)).map(([path]) => path);

      it('stay for their grace, which counts from the first revision without them', async () => {
        const catalog = await open();
        await importAt(catalog, 100, 'a', 'b');
        expect(await importAt(catalog, 105, 'b', 'c')).toMatchObject({ revision: 2, packages: 2, removed: 1 });
        expect(await listed(catalog)).toEqual([
          ['/p/a', 1],
          ['/p/b', 2],
          ['/p/c', 2],
        ]);
        expect(await catalog.entries.countOf('/p', importer)).toBe(2);
        await importAt(catalog, 114, 'c');
        expect(await paths(catalog)).toEqual(['/p/a', '/p/b', '/p/c']);
        await importAt(catalog, 115, 'c');
        expect(await paths(catalog)).toEqual(['/p/b', '/p/c']);
      });

      it('go once their grace is over, also if no revision follows', async () => {
        const catalog = await open();
        await importAt(catalog, 100, 'a', 'b');
        await importAt(catalog, 105, 'b');
        const passing = async (before: number) =>
          (await all(catalog.entries.tidied(before))).flat().map(({ path }) => path);
        expect(await passing(104)).toEqual(['/p/a', '/p/b']);
        expect(await paths(catalog)).toEqual(['/p/a', '/p/b']);
        expect(await passing(105)).toEqual(['/p/b']);
        expect(await paths(catalog)).toEqual(['/p/b']);
        expect(await passing(105)).toEqual(['/p/b']);
      });

      it('are among the pages of a prefix, which have each entry once', async () => {
        const catalog = await open();
        const names = Array.from({ length: 450 }, (_, at) => `${at + 100}`);
        await importAt(catalog, 100, 'gone', ...names);
        await importAt(catalog, 101, ...names);
        const read = async (prefix: string) =>
          (await all(catalog.entries.pages(prefix))).flat().map(({ path, data }) => [path, 'gone_since' in data]);
        expect(await read('/p')).toEqual([...names.map((name) => [`/p/${name}`, false]), ['/p/gone', true]]);
        expect(await read('/p/10')).toEqual([]);
        expect(await read('/')).toHaveLength(451);
      });

      it('belong to the repository again if a revision has them again', async () => {
        const catalog = await open();
        await importAt(catalog, 100, 'a');
        await importAt(catalog, 101, 'b');
        await importAt(catalog, 102, 'a');
        await importAt(catalog, 111, 'a');
        expect(await catalog.entries.find('/p/a')).toMatchObject([{ revision: 4, data: {} }]);
      });

      it('are not listed, and go with everything below their prefix', async () => {
        const catalog = await open();
        await importAt(catalog, 100, '../q/a', 'a', 'b');
        await importAt(catalog, 101, 'b');
        expect((await catalog.entries.children('/p/', undefined, 9)).map(({ name }) => name)).toEqual(['b']);
        expect(await paths(catalog)).toEqual(['/p/a', '/p/b', '/q/a']);
        expect(await catalog.entries.removeBelow('/p')).toBe(3);
      });
    });
    describe('an entry of a path that had other content', () => {
      type Change = readonly [
        what: string,
        before: Partial<NewEntry>,
        after: Partial<NewEntry>,
        replaced: true | undefined,
      ];
      const bare = { checksum: undefined };
      const other = { checksum: { algorithm: 'sha256', value: 'd'.repeat(64) } } as const;
      const changes: readonly Change[] = [
        ['the same checksum, wherever it is now', {}, { url: 'https://other.example.com/' }, undefined],
        ['another checksum', {}, other, true],
        ['a checksum of another kind', {}, { checksum: { algorithm: 'sha1', value: 'c'.repeat(40) } }, true],
        ['no checksum any more', {}, bare, true],
        ['a checksum now', bare, {}, true],
        ['no checksum then or now, so the content may differ', bare, bare, true],
        ['another URL', bare, { ...bare, url: 'https://other.example.com/' }, true],
        ['another size', bare, { ...bare, size: 8 }, true],
        ['a size now', { ...bare, size: undefined }, bare, true],
        ['another importer and the same checksum', {}, { importerId: B }, undefined],
        ['another importer and another checksum', {}, { importerId: B, ...other }, true],
      ];
      const publish = async (catalog: CatalogStore, by: string, prefix: string, entries: readonly NewEntry[]) => {
        const staging = await catalog.entries.stage();
        await staging.write(entries);
        await staging.publishRevision(by, prefix);
      };
      const ways: readonly (readonly [
        way: string,
        write: (catalog: CatalogStore, entry: NewEntry) => Answer<unknown>,
      ])[] = [
        ['added', (catalog, entry) => catalog.entries.add(entry)],
        ['imported', (catalog, entry) => publish(catalog, entry.importerId, dirname(entry.path), [entry])],
        ['loaded', (catalog, entry) => load(catalog, [entry])],
        ['loaded as another revision', (catalog, entry) => load(catalog, [{ ...entry, revision: 2 }])],
      ];
      const replaced = async ({ entries }: CatalogStore, path = '/p/bear.rpm') =>
        (await entries.find(path)).map((entry) => entry.replaced);

      describe.each(ways)('%s', (_, write) => {
        it.each(changes)('is marked if the content may differ: %s', async (_, before, after, expected) => {
          const catalog = await open();
          await write(catalog, anEntry(before));
          await write(catalog, anEntry({ path: '/n/bear.rpm', ...other }));
          expect(await replaced(catalog)).toEqual([undefined]);
          await write(catalog, anEntry(after));
          expect((await replaced(catalog))[0]).toBe(expected);
          expect(await replaced(catalog, '/n/bear.rpm')).toEqual([undefined]);
        });

        it('stays marked until the path is removed', async () => {
          const catalog = await open();
          for (const more of [{}, other, {}, {}]) await write(catalog, anEntry(more));
          expect((await replaced(catalog))[0]).toBe(true);
          await catalog.entries.remove('/p/bear.rpm');
          await write(catalog, anEntry());
          expect(await replaced(catalog)).toEqual([undefined]);
        });

        it('is marked even if it was first and is the newest again', async () => {
          const catalog = await open();
          await write(catalog, anEntry());
          await write(catalog, anEntry({ importerId: B, ...other }));
          await catalog.entries.remove('/p/bear.rpm', B);
          expect(await replaced(catalog)).toEqual([true]);
        });
      });

      it('is marked if both come at once', async () => {
        const catalog = await open();
        await load(catalog, [
          anEntry(),
          anEntry({ importerId: B, ...other }),
          anEntry({ path: '/q' }),
          anEntry({ path: '/q', importerId: B }),
        ]);
        expect(await replaced(catalog)).toEqual([true, true]);
        expect(await replaced(catalog, '/q')).toEqual([undefined, undefined]);
      });

      it('is marked in the result of add', async () => {
        const { entries } = await open();
        expect(await entries.add(anEntry())).not.toHaveProperty('replaced');
        expect(await entries.add(anEntry(other))).toMatchObject({ revision: 2, replaced: true });
      });

      it('is not marked by an import elsewhere', async () => {
        const catalog = await open();
        await publish(catalog, importer, '/p', [
          anEntry(),
          anEntry({ path: '/p/owl.rpm' }),
          anEntry({ path: '/p/gone.rpm' }),
        ]);
        await publish(catalog, importer, '/p', [
          anEntry(other),
          anEntry({ path: '/p/owl.rpm' }),
          anEntry({ path: '/p/new.rpm' }),
        ]);
        const found = (await all(catalog.entries.list('/p'))).map(({ path, replaced }) => [path, replaced]);
        expect(found).toEqual([
          ['/p/bear.rpm', true],
          ['/p/new.rpm', undefined],
          ['/p/owl.rpm', undefined],
        ]);
      });
    });

    describe('importers', () => {
      const config = { feed: 'http://h/', basic_auth_username: 'u', basic_auth_password: 'p' };

      it('are found by id and by configuration, whatever the order of its keys', async () => {
        const { importers } = await open();
        const added = await importers.add({ config, repoId: 'zoo', typeId: 'yum_importer' });
        expect(added.id).toMatch(/^[0-9a-f]{24}$/);
        expect(await importers.get(added.id)).toEqual(added);
        const { feed, ...rest } = config;
        expect(await importers.find({ ...rest, feed })).toEqual(added);
        expect(await importers.ensure({ ...rest, feed })).toEqual(added);
        const other = await importers.ensure({});
        expect(await importers.list()).toEqual([added, other]);
        expect([await importers.get(B), await importers.find({ feed: 'http://other/' })]).toEqual([
          undefined,
          undefined,
        ]);
      });

      it('are changed for requests that follow, and removed unless something refers to them', async () => {
        const catalog = await open();
        const { importers, entries, repositories } = catalog;
        const { id } = await importers.add({ config });
        await importers.change(id, { feed: 'http://new/' });
        expect((await importers.get(id))?.config).toEqual({ feed: 'http://new/' });
        await load(catalog, [anEntry({ importerId: id })]);
        await expect(attempt(() => importers.remove(id))).rejects.toThrow(
          `importer ${id} is in use, for example by /p/bear.rpm; remove its entries first`,
        );
        await entries.remove('/p/bear.rpm');
        await repositories.save({ ...repository, importerId: id });
        await expect(attempt(() => importers.remove(id))).rejects.toThrow('is in use, for example by /r/');
        await entries.removeBelow('/r');
        expect([await importers.remove(id), await importers.remove(id)]).toEqual([true, false]);
      });

      it('have their numbers of entries', async () => {
        const catalog = await open();
        await load(catalog, [anEntry(), anEntry({ path: '/q' }), anEntry({ path: '/q', importerId: B })]);
        expect(await catalog.entries.countByImporter()).toEqual(
          new Map([
            [importer, 2],
            [B, 1],
          ]),
        );
        expect(await catalog.entries.importersBelow('/p')).toEqual([importer]);
      });
    });

    describe('repositories', () => {
      it('are stored with all that is known of them, and listed by prefix', async () => {
        const { repositories } = await open();
        const full: StoredRepository = {
          ...{ ...repository, prefix: '/full', strict: true, every: 60, follows: true, complete: true },
          keyring: { file: '/k', sha256: 'a' },
          metalink: 'http://h/metalink',
          signature: { signers: [{ key: 'k', name: 'n' }], until: 9 },
          roots: { digests: { 'http://h/a.b': 'x', 'http://h/$c': null }, states: { 'http://h/a.b': { etag: '"1"' } } },
        };
        await repositories.save(repository);
        await repositories.save(full);
        expect(await repositories.list()).toEqual([full, repository]);
        expect(await repositories.find({ prefix: '/full/', importerId: importer })).toEqual(full);
        expect(await repositories.baseOf(repository)).toBe('http://h/');
        expect(await repositories.find({ prefix: '/r', importerId: B })).toBeUndefined();
      });

      it('remember what became of tries, also through a publication of their entries', async () => {
        const catalog = await open();
        const { repositories } = catalog;
        await repositories.failed(repository, 1, 'unknown');
        expect(await repositories.list()).toEqual([]);
        await repositories.save({ ...repository, follows: true, roots: { digests: { u: 'x' }, states: {} } });
        await repositories.failed(repository, 5, 'broken', 9);
        await repositories.failed(repository, 6, 'still broken');
        expect(await repositories.find(repository)).toMatchObject({
          attempted: 6,
          problem: 'still broken',
          nextTry: 9,
        });
        await importPaths(catalog, '/r', listing(['a']));
        expect(await repositories.find(repository)).toMatchObject({
          attempted: 6,
          problem: 'still broken',
          nextTry: 9,
        });
        await repositories.confirmed(repository, 7, { digests: { u: 'x' }, states: { u: { etag: '"2"' } } });
        const confirmed = await repositories.find(repository);
        expect(confirmed).toMatchObject({ succeeded: 7, attempted: 7, roots: { states: { u: { etag: '"2"' } } } });
        expect(confirmed).not.toHaveProperty('problem');
        expect(confirmed).not.toHaveProperty('nextTry');
      });

      it('are stored with the entries of their publication, or not at all', async () => {
        const catalog = await open();
        await catalog.repositories.save({ ...repository, packages: 7 });
        const publishing = (update: (packages: number) => number) =>
          importRepository({
            ...{ catalog, format: listing(['a', 'b']), base: 'http://h/', prefix: '/r', read: readFileUrl, importer },
            repository: ({ packages }, stored) => ({ ...(stored ?? repository), packages: update(packages) }),
          });
        const refuse = () => {
          throw new Error('not wanted any more');
        };
        await expect(publishing(refuse)).rejects.toThrow('not wanted any more');
        expect(await listed(catalog)).toEqual([]);
        expect(await catalog.repositories.find(repository)).toMatchObject({ packages: 7 });
        await publishing((packages) => packages);
        expect(await catalog.repositories.find(repository)).toMatchObject({ packages: 2 });
        expect(await catalog.entries.countOf('/r', importer)).toBe(2);
        expect(await catalog.entries.hasPackageBelow('/r', repository)).toBe(true);
        expect(await catalog.entries.hasPackageBelow('/r/deep', repository)).toBe(false);
      });

      it('are forgotten with all below a prefix, of one importer if it is named', async () => {
        const catalog = await open();
        const { repositories, entries } = catalog;
        for (const prefix of ['/r', '/r/deep', '/r2'])
          for (const importerId of [importer, B]) {
            await repositories.save({ ...repository, prefix, importerId });
            await importPaths(catalog, prefix, listing(['x']), importerId);
          }
        await entries.add({ ...anEntry(), path: '/r/hand' });
        const prefixes = async () => (await repositories.list()).map((one) => one.prefix + one.importerId[0]);
        expect(await entries.removeBelow('/r', B)).toBe(2);
        expect(await prefixes()).toEqual(['/ra', '/r/deepa', '/r2a', '/r2b']);
        expect(await entries.removeBelow('/r')).toBe(3);
        expect(await prefixes()).toEqual(['/r2a', '/r2b']);
        expect(await listed(catalog)).toEqual([
          ['/r2/x', 1],
          ['/r2/x', 1],
        ]);
        // Nothing of what was removed comes back.
        await importPaths(catalog, '/r', listing(['y']));
        expect(await listed(catalog, '/r')).toEqual([['/r/y', 1]]);
        expect((await all(entries.listSingle())).map(({ path }) => path)).toEqual(['/r/y']);
      });
    });

    describe('what is loaded', () => {
      it('replaces entries with the same path, importer and revision, until its prefix is imported again', async () => {
        const catalog = await open();
        await importPaths(catalog, '/p', listing(['a', 'b']));
        const loaded = anEntry({ path: '/p/a', prefix: '/p', url: 'http://loaded/' });
        await load(catalog, [loaded, anEntry({ path: '/p/c', prefix: '/p' }), anEntry({ path: '/other' })]);
        expect((await catalog.entries.find('/p/a')).map(({ url }) => url)).toEqual(['http://loaded/']);
        expect(await listed(catalog, '/p')).toEqual([
          ['/p/a', 1],
          ['/p/b', 1],
          ['/p/c', 1],
        ]);
        await importPaths(catalog, '/p', listing(['a']));
        expect(await listed(catalog)).toEqual([
          ['/other', 1],
          ['/p/a', 2],
        ]);
        await catalog.entries.removeBelow('/p');
        expect(await listed(catalog)).toEqual([['/other', 1]]);
      });
    });
  });
};
