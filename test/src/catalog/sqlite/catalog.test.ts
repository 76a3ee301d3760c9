import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { unitIdOf } from '../../../../src/catalog/locator.ts';
import { openSqliteCatalog, type SqliteCatalog } from '../../../../src/catalog/sqlite/catalog.ts';
import type { NewEntry } from '../../../../src/catalog/stored-entry.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

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
  it('returns every field, across processes that open the same file', async () => {
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

  it('takes the size from data if the entry has none', async () => {
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

describe('a catalog of layout 1', () => {
  const LAYOUT_1 = `
    CREATE TABLE lazy_content_catalog (
      id INTEGER PRIMARY KEY, path TEXT NOT NULL, importer_id TEXT NOT NULL, unit_id TEXT NOT NULL, unit_type_id TEXT NOT NULL,
      url TEXT NOT NULL, checksum TEXT, checksum_algorithm TEXT, size INTEGER, revision INTEGER NOT NULL, data TEXT NOT NULL,
      prefix TEXT, UNIQUE (path, importer_id, revision)
    ) STRICT;
    CREATE INDEX entries_of_unit ON lazy_content_catalog (unit_id);
    CREATE TABLE units (
      id TEXT NOT NULL, type_id TEXT NOT NULL, unit_key TEXT NOT NULL, PRIMARY KEY (id, type_id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE repo_importers (id TEXT PRIMARY KEY, repo_id TEXT, importer_type_id TEXT, config TEXT NOT NULL) STRICT;
    CREATE TABLE content_catalog (
      id INTEGER PRIMARY KEY, source_id TEXT NOT NULL, expiration INTEGER NOT NULL, type_id TEXT NOT NULL,
      unit_key TEXT NOT NULL, locator TEXT NOT NULL, url TEXT NOT NULL
    ) STRICT;
    CREATE INDEX content_by_locator ON content_catalog (locator);
    CREATE INDEX content_by_source ON content_catalog (source_id, expiration);
    CREATE INDEX content_by_expiration ON content_catalog (expiration);
    INSERT INTO lazy_content_catalog VALUES
      (1, '/p/bear.rpm', '${A}', 'unit-1', 'rpm', 'https://feed.example.com/bear.rpm', '${'c'.repeat(64)}', 'sha256', 7, 5, '{}', '/p');
    PRAGMA user_version = 1;`;
  const layoutOf = (file: string) => {
    const database = new DatabaseSync(file);
    const version = database.prepare('PRAGMA user_version').get()?.user_version;
    database.close();
    return version;
  };
  const aFile = (layout: string) => {
    const file = join(newFolder(), 'catalog.db');
    const database = new DatabaseSync(file);
    database.exec(layout);
    database.close();
    return file;
  };

  it('is migrated to the present layout, once, with all its content', () => {
    const file = aFile(LAYOUT_1);
    for (let opening = 0; opening < 2; opening += 1) {
      const catalog = openSqliteCatalog(file);
      expect(catalog.entries.find('/p/bear.rpm')).toEqual([anEntry({ revision: 5, prefix: '/p' })]);
      catalog.close();
      expect(layoutOf(file)).toBe(2);
    }
    const catalog = openSqliteCatalog(file);
    catalog.entries.add(anEntry({ checksum: undefined }));
    expect(catalog.entries.find('/p/bear.rpm')).toMatchObject([{ revision: 6, replaced: true }]);
    catalog.close();
  });

  it('may still be written by a process of the old version', () => {
    const file = aFile(LAYOUT_1);
    const old = new DatabaseSync(file);
    const insert = old.prepare(
      `INSERT INTO lazy_content_catalog (path, importer_id, unit_id, unit_type_id, url, revision, data)
       VALUES ('/q', ?, 'unit-2', 'rpm', 'https://feed.example.com/q', 1, '{}')`,
    );
    const catalog = openSqliteCatalog(file);
    insert.run(A);
    expect(catalog.entries.find('/q')).toMatchObject([{ unitId: 'unit-2', revision: 1 }]);
    catalog.close();
    old.close();
  });

  it('is distinguished from one of a later version', () => {
    const file = aFile(`${LAYOUT_1} PRAGMA user_version = 3;`);
    expect(() => openSqliteCatalog(file)).toThrow(
      `catalog ${file}: it has layout 3, this pulp-streamer supports layout 2: a later version wrote it; install that version again, or restore a backup from before the upgrade`,
    );
    expect(layoutOf(file)).toBe(3);
  });
});

describe('the access of an importer', () => {
  it('is made once for each version of its row, also if another process changes it', async () => {
    const file = join(newFolder(), 'catalog.db');
    const catalog = openSqliteCatalog(file);
    const { id } = catalog.importers.add({ config: { ssl_ca_cert: 'one' } });
    const access = () => firstValueFrom(catalog.access(id));
    const first = await access();
    expect(await access()).toBe(first);
    expect(first).toEqual({ ca: 'one' });
    using other = new DatabaseSync(file);
    other.prepare('UPDATE repo_importers SET config = ? WHERE id = ?').run('{"ssl_ca_cert":"two"}', id);
    expect(await access()).toEqual({ ca: 'two' });
    catalog.importers.remove(id);
    await expect(access()).rejects.toMatchObject({ code: 'SOURCE_BROKEN' });
    catalog.close();
  });
});

describe('an unavailable catalog', () => {
  it('errors with CATALOG_UNAVAILABLE on subscription', async () => {
    const catalog = openSqliteCatalog(':memory:');
    catalog.close();
    await expect(lookup(catalog, '/p')).rejects.toMatchObject({ code: 'CATALOG_UNAVAILABLE', source: 'catalog' });
    await expect(firstValueFrom(catalog.access(A))).rejects.toMatchObject({ code: 'CATALOG_UNAVAILABLE' });
    await expect(firstValueFrom(catalog.offers(anEntry()))).rejects.toMatchObject({ code: 'CATALOG_UNAVAILABLE' });
  });

  it('is distinguished from one with damaged content', async () => {
    const file = join(newFolder(), 'catalog.db');
    writeFileSync(file, 'This is not a database, but long enough to be read as one. '.repeat(100));
    const open = () => openSqliteCatalog(file);
    expect(open).toThrow(expect.objectContaining({ code: 'CATALOG_UNAVAILABLE' }));
    expect(open).toThrow(`catalog ${file}: file is not a database; expected one of SQLite, or no file`);
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

  it('are replaced by a successful refresh, and kept by a failed one', async () => {
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

  it('show whether a source needs a refresh, and are purged an hour after they expired', () => {
    const catalog = open();
    catalog.content.add([anOffer('one', 'file:///one')]);
    expect([catalog.content.isFresh('one', NOW), catalog.content.isFresh('one', NOW + 1)]).toEqual([true, false]);
    catalog.content.purge(NOW + 3600);
    expect(catalog.content.find('rpm', unitKey, NOW)).toHaveLength(1);
    catalog.content.purge(NOW + 3601);
    expect(catalog.content.find('rpm', unitKey, NOW)).toEqual([]);
  });
});
