import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import { importRepository } from '../../../../src/catalog/import.ts';
import { openTables, type Tables } from '../../../../src/catalog/sqlite/tables.ts';
import type { StoredRepository } from '../../../../src/catalog/stored-repository.ts';
import { readFileUrl } from '../../../support/read-file-url.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

const newFolder = temporaryFolders();
const key = { prefix: '/p', importerId: 'a'.repeat(24) };

const publish = (catalog: Tables, names: readonly string[], at: number, seconds = 100) =>
  importRepository({
    ...{ catalog, base: 'http://h/', prefix: '/p', read: readFileUrl, importer: key.importerId },
    format: async function* () {
      for (const path of names) yield { path, unitTypeId: 'iso', unitKey: { name: path } };
    },
    keeping: { now: at, seconds },
    repository: ({ packages, metadata }): StoredRepository => ({
      ...{ ...key, format: 'files', base: 'http://h/', selection: {}, strict: false, packages, metadata },
      ...{ succeeded: at, attempted: at },
    }),
  });

const change = (file: string, ...statements: readonly string[]): void => {
  const database = new DatabaseSync(file);
  for (const statement of statements) database.exec(statement);
  database.close();
};

const kept = ({ history }: Tables) =>
  history.revisions().map(({ revision, published, superseded }) => [revision, published, superseded]);

describe('a catalog of an earlier version', () => {
  /** As that one left it: nothing was noted of revisions. */
  const openEarlier = async () => {
    const file = join(newFolder(), 'catalog.db');
    const before = openTables(file);
    await publish(before, ['a'], 5);
    await publish(before, ['a', 'b'], 7);
    before.close();
    change(file, 'DROP TABLE revisions', 'DROP TABLE labels', 'DROP TABLE entries_before');
    return file;
  };

  it('begins with the present revision, as of its last confirmation', async () => {
    const catalog = openTables(await openEarlier());
    expect(kept(catalog)).toEqual([[2, 7, undefined]]);
    await publish(catalog, ['b'], 9);
    expect(kept(catalog)).toEqual([
      [2, 7, 9],
      [3, 9, undefined],
    ]);
    expect(catalog.history.find('/p/a', { ...key, revision: 2 })).toMatchObject({ path: '/p/a' });
    catalog.close();
  });

  it('can be read on a disk that permits nothing else', async () => {
    const catalog = openTables(await openEarlier(), { immutable: true });
    expect(kept(catalog)).toEqual([]);
    expect(catalog.entries.find('/p/a')).toHaveLength(1);
    catalog.close();
  });
});

it('revisions that an earlier version has followed up are forgotten: nobody noted what it changed', async () => {
  const file = join(newFolder(), 'catalog.db');
  const catalog = openTables(file);
  await publish(catalog, ['a'], 5);
  await publish(catalog, ['b'], 6);
  catalog.history.label('/p', 'x', [{ ...key, revision: 1 }], 6);
  change(file, 'UPDATE lazy_content_catalog SET revision = 3');
  await publish(catalog, ['c'], 8);
  expect(kept(catalog)).toEqual([[4, 8, undefined]]);
  expect(catalog.history.labels()).toEqual([]);
  expect(catalog.history.find('/p/a', { ...key, revision: 1 })).toBeUndefined();
  catalog.close();
});

it.each([
  ['removed', 'DELETE FROM lazy_content_catalog'],
  // It counts from 1 again.
  ['removed and imported again', 'UPDATE lazy_content_catalog SET revision = 1'],
])('revisions of a repository that an earlier version has %s are forgotten', async (_, statement) => {
  const file = join(newFolder(), 'catalog.db');
  const catalog = openTables(file);
  await publish(catalog, ['a'], 5);
  await publish(catalog, ['b'], 6);
  catalog.history.label('/p', 'x', [{ ...key, revision: 1 }], 6);
  change(file, statement);
  await publish(catalog, ['c'], 8);
  expect(kept(catalog)).toEqual([[3, 8, undefined]]);
  expect([catalog.history.labels(), catalog.history.page(undefined, 9)]).toEqual([[], []]);
  catalog.close();
});

it('revisions without any file are kept as others are', async () => {
  const catalog = openTables(':memory:');
  await publish(catalog, ['a'], 5);
  await publish(catalog, [], 6);
  await publish(catalog, ['b'], 7);
  expect(kept(catalog).map(([revision]) => revision)).toEqual([1, 2, 3]);
  expect(catalog.history.find('/p/a', { ...key, revision: 1 })).toBeDefined();
  catalog.close();
});

it('revisions that are kept no longer are forgotten, also by a clock that was set back', async () => {
  const catalog = openTables(':memory:');
  await publish(catalog, ['a'], 50);
  await publish(catalog, ['b'], 60);
  await publish(catalog, ['c'], 20, 0);
  expect(kept(catalog)).toEqual([[3, 20, undefined]]);
  catalog.close();
});

it('revisions that are kept no longer are removed in steps, between which requests are answered', async () => {
  const catalog = openTables(':memory:');
  const names = (letter: string) => Array.from({ length: 2_000 }, (_, index) => `${letter}${index}`);
  for (const [at, letter] of ['a', 'b', 'a', 'c'].entries()) await publish(catalog, names(letter), 10 + at);
  catalog.history.label('/p', 'x', [{ ...key, revision: 2 }], 15);
  const rows = () => catalog.history.page(undefined, 100_000).length;
  expect(rows()).toBe(3 * 4_000);
  let turns = 0;
  const turn = () => {
    turns += 1;
    turning = setImmediate(turn);
  };
  let turning = setImmediate(turn);
  await catalog.history.prune({ now: 200, seconds: 100 });
  clearImmediate(turning);
  // Some hundred rows a step.
  expect(turns).toBeGreaterThan(10);
  expect(kept(catalog).map(([revision]) => revision)).toEqual([2, 4]);
  expect(catalog.history.find('/p/b1', { ...key, revision: 2 })).toMatchObject({ path: '/p/b1' });
  for (const path of ['/p/a1', '/p/c1']) expect(catalog.history.find(path, { ...key, revision: 2 })).toBeUndefined();
  // What the next revision changed of the one that is kept: b was there, a and c were not.
  expect(rows()).toBe(3 * 2_000);
  catalog.close();
});
