import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { unitIdOf } from '../../../src/catalog/locator.ts';
import type { NewEntry } from '../../../src/catalog/sqlite/rows.ts';
import { openSqliteCatalog, type SqliteCatalog } from '../../../src/catalog/sqlite.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();
const A = 'a'.repeat(24);
const B = 'b'.repeat(24);

const anEntry = (over: Partial<NewEntry> = {}): NewEntry => ({
  path: '/p/bear.rpm',
  importerId: A,
  unitId: 'unit-1',
  unitTypeId: 'rpm',
  url: 'https://feed.example.com/bear.rpm',
  checksum: { algorithm: 'sha256', value: 'c'.repeat(64) },
  size: 7,
  revision: 1,
  data: {},
  ...over,
});

const load = (catalog: SqliteCatalog, entries: readonly NewEntry[]): void => {
  const staging = catalog.entries.stage();
  staging.write(entries);
  staging.publishAsIs();
};

const lookup = (catalog: SqliteCatalog, path: string) => lastValueFrom(catalog.lookup(path).pipe(toArray()));

describe('lookup', () => {
  it('gives back every field, across processes that open the same file', async () => {
    const file = join(newFolder(), 'deep/down/catalog.db');
    const writer = openSqliteCatalog(file);
    load(writer, [anEntry({ data: { nested: ['é'] } })]);
    const reader = openSqliteCatalog(file);
    expect(await lookup(reader, '/p/bear.rpm')).toEqual([anEntry({ data: { nested: ['é'] } })]);
    reader.close();
    writer.close();
  });

  it('has the newest entry first, not the one with the highest revision', async () => {
    const catalog = openSqliteCatalog(':memory:');
    load(catalog, [anEntry({ revision: 7 }), anEntry({ importerId: B, revision: 2 }), anEntry({ revision: 8 })]);
    const found = await lookup(catalog, '/p/bear.rpm');
    expect(found.map(({ importerId, revision }) => [importerId, revision])).toEqual([
      [A, 8],
      [B, 2],
      [A, 7],
    ]);
  });

  it('takes the size from data where the entry has none of its own', async () => {
    const catalog = openSqliteCatalog(':memory:');
    load(catalog, [anEntry({ size: undefined, data: { size: 99 } }), anEntry({ path: '/q', data: { size: 99 } })]);
    expect((await lookup(catalog, '/p/bear.rpm'))[0]?.size).toBe(99);
    expect((await lookup(catalog, '/q'))[0]?.size).toBe(7);
  });

  it('finds each of fifty thousand entries through the index', async () => {
    const catalog = openSqliteCatalog(join(newFolder(), 'catalog.db'));
    const paths = Array.from({ length: 50_000 }, (_, number) => `/p/${(number * 7919) % 50_000}/package.rpm`);
    load(
      catalog,
      paths.map((path, number) => anEntry({ path, size: number })),
    );
    for (const number of [0, 1, 24_999, 49_999]) {
      expect(await lookup(catalog, paths[number]!)).toMatchObject([{ size: number }]);
    }
    expect([...catalog.entries.list('/p/7')].map(({ path }) => path)).toEqual(['/p/7/package.rpm']);
    catalog.close();
  });
});

describe('a catalog that cannot be asked', () => {
  it('errors with CATALOG_UNAVAILABLE on subscription', async () => {
    const catalog = openSqliteCatalog(':memory:');
    catalog.close();
    await expect(lookup(catalog, '/p')).rejects.toMatchObject({ code: 'CATALOG_UNAVAILABLE', source: 'catalog' });
    await expect(firstValueFrom(catalog.access(A))).rejects.toMatchObject({ code: 'CATALOG_UNAVAILABLE' });
    await expect(firstValueFrom(catalog.offers(anEntry()))).rejects.toMatchObject({ code: 'CATALOG_UNAVAILABLE' });
  });

  it('is told from one that is damaged inside', async () => {
    const file = join(newFolder(), 'catalog.db');
    writeFileSync(file, 'This is no database, but long enough to be looked at as one. '.repeat(100));
    const open = () => openSqliteCatalog(file);
    expect(open).toThrow(expect.objectContaining({ code: 'CATALOG_UNAVAILABLE' }));
    expect(open).toThrow(`catalog ${file}: file is not a database`);
  });
});

describe('offers', () => {
  const unitKey = { name: 'bear', checksum: 'c' };
  const unitId = unitIdOf('rpm', unitKey);
  const NOW = 1_000_000;
  const anOffer = (sourceId: string, url: string, expiration = NOW) => ({
    sourceId,
    url,
    expiration,
    typeId: 'rpm',
    unitKey,
  });
  const open = () => {
    const catalog = openSqliteCatalog(':memory:', { now: () => NOW * 1000 });
    load(catalog, [anEntry({ unitId, unitKey })]);
    return catalog;
  };
  const offers = (catalog: SqliteCatalog, entry: NewEntry) => lastValueFrom(catalog.offers(entry).pipe(toArray()));

  it('are replaced by a refresh that came through, and kept by one that failed', async () => {
    const catalog = open();
    catalog.content.add([anOffer('one', 'file:///old'), anOffer('two', 'file:///two')]);
    const failing = catalog.content.mark();
    catalog.content.add([anOffer('one', 'file:///half')]);
    catalog.content.withdraw('one', failing);
    expect((await offers(catalog, anEntry({ unitId })))[0]?.url).toBe('file:///old');
    const passing = catalog.content.mark();
    catalog.content.retire('one', passing);
    expect(await offers(catalog, anEntry({ unitId }))).toEqual([{ sourceId: 'two', url: 'file:///two' }]);
  });

  it('say when a source wants refreshing, and are purged an hour after they expired', () => {
    const catalog = open();
    catalog.content.add([anOffer('one', 'file:///one')]);
    expect([catalog.content.isFresh('one', NOW), catalog.content.isFresh('one', NOW + 1)]).toEqual([true, false]);
    catalog.content.purge(NOW + 3600);
    expect(catalog.content.find('rpm', unitKey, NOW)).toHaveLength(1);
    catalog.content.purge(NOW + 3601);
    expect(catalog.content.find('rpm', unitKey, NOW)).toEqual([]);
  });
});
