import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openSqliteCatalog, type SqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();
const opened: SqliteCatalog[] = [];
afterEach(() => {
  for (const catalog of opened.splice(0)) catalog.close();
});
const open = (file = ':memory:'): SqliteCatalog => {
  const catalog = openSqliteCatalog(file);
  opened.push(catalog);
  return catalog;
};

const NOW = 1_000_000;
const unitKey = { name: 'bear', size: 3 };
const offer = (sourceId: string, url: string, expiration = NOW + 10) => ({
  sourceId,
  typeId: 'iso',
  unitKey,
  url,
  expiration,
});
const cataloged = (fingerprint: string, expiration: number) => ({ fingerprint, paths: [{ path: '', expiration }] });
const urls = ({ content }: SqliteCatalog) => content.find('iso', unitKey, NOW).map(({ url }) => url);

describe('refreshes of a source', () => {
  it('make it fresh when complete, not before', () => {
    const { refreshes, content } = open();
    expect(refreshes.state('a', NOW)).toBeUndefined();
    const refresh = refreshes.begin('a');
    content.add([offer('a', 'file:///a')]);
    expect(refreshes.state('a', NOW)).toEqual({ sourceId: 'a', leased: false });
    expect(refreshes.finish(refresh, cataloged('what', NOW + 10))).toBe(true);
    expect(refreshes.state('a', NOW)).toEqual({
      sourceId: 'a',
      cataloged: cataloged('what', NOW + 10),
      leased: false,
    });
  });

  it('start over with the state of an earlier version', () => {
    const file = join(newFolder(), 'catalog.db');
    const before = new DatabaseSync(file);
    before.exec(`
      CREATE TABLE content_sources (
        source_id TEXT PRIMARY KEY, fingerprint TEXT, expiration INTEGER NOT NULL DEFAULT 0, mark INTEGER, token TEXT,
        holder TEXT, leased_until REAL NOT NULL DEFAULT 0
      ) STRICT, WITHOUT ROWID;
      INSERT INTO content_sources (source_id, fingerprint, expiration) VALUES ('a', 'what', 9999999999)`);
    before.close();
    const { refreshes } = open(file);
    expect(refreshes.state('a', NOW)).toEqual({
      sourceId: 'a',
      cataloged: { fingerprint: 'what', paths: [] },
      leased: false,
    });
    for (const sourceId of ['a', 'b']) {
      expect(refreshes.finish(refreshes.begin(sourceId), cataloged('what', NOW + 10))).toBe(true);
      expect(refreshes.state(sourceId, NOW)).toMatchObject({ cataloged: cataloged('what', NOW + 10) });
    }
  });

  it('remove only their offers when abandoned', () => {
    const catalog = open();
    catalog.content.add([offer('a', 'file:///old')]);
    const refresh = catalog.refreshes.begin('a');
    catalog.content.add([offer('a', 'file:///new'), offer('b', 'file:///b')]);
    expect(urls(catalog)).toEqual(['file:///new', 'file:///b']);
    catalog.refreshes.abandon(refresh);
    expect(urls(catalog)).toEqual(['file:///old', 'file:///b']);
  });

  it('that were interrupted leave nothing once the next one begins', () => {
    const file = join(newFolder(), 'catalog.db');
    const dead = open(file);
    dead.content.add([offer('a', 'file:///old')]);
    dead.refreshes.begin('a');
    dead.content.add([offer('a', 'file:///half')]);
    dead.close();
    opened.splice(0);
    const catalog = open(file);
    expect(catalog.refreshes.state('a', NOW)?.cataloged).toBeUndefined();
    catalog.refreshes.begin('a');
    expect(urls(catalog)).toEqual(['file:///old']);
  });

  it('have no effect once another one has begun, not even on it', () => {
    const catalog = open();
    const late = catalog.refreshes.begin('a');
    const newer = catalog.refreshes.begin('a');
    catalog.content.add([offer('a', 'file:///newer')]);
    catalog.refreshes.abandon(late);
    expect(catalog.refreshes.finish(late, cataloged('late', NOW + 99))).toBe(false);
    expect(urls(catalog)).toEqual(['file:///newer']);
    expect(catalog.refreshes.finish(newer, cataloged('newer', NOW + 10))).toBe(true);
  });

  it('can be withdrawn in portions', () => {
    const { content } = open();
    content.add(Array.from({ length: 5 }, (_, index) => offer('a', `file:///${index}`)));
    const mark = content.mark();
    content.add(Array.from({ length: 3 }, (_, index) => offer('a', `file:///new${index}`, NOW + 20)));
    expect([content.withdraw('a', mark, 2), content.withdraw('a', mark, 2), content.withdraw('a', mark, 2)]).toEqual([
      2, 1, 0,
    ]);
    expect([content.retire('a', mark, 3), content.retire('a', mark, 3), content.retire('a', mark, 3)]).toEqual([
      3, 2, 0,
    ]);
    content.add([offer('a', 'file:///x', NOW - 3601), offer('a', 'file:///y', NOW - 3600)]);
    expect([content.purge(NOW, 5), content.purge(NOW, 5)]).toEqual([1, 0]);
  });
});

describe('offers', () => {
  it('are counted by source while they have not expired', () => {
    const { refreshes, content } = open();
    content.add([offer('a', 'file:///1'), offer('a', 'file:///2', NOW - 1), offer('b', 'file:///3')]);
    expect(refreshes.count('a', NOW)).toBe(1);
    expect(refreshes.count('c', NOW)).toBe(0);
  });

  it('are found by fields of the key, including numbers, and by the complete key', () => {
    const { refreshes, content } = open();
    content.add([offer('a', 'file:///1'), { ...offer('a', 'file:///2'), unitKey: { name: 'owl', size: 3 } }]);
    const found = (fields: Record<string, string>) => refreshes.search('iso', fields).map(({ url }) => url);
    expect(found({ size: '3' })).toEqual(['file:///1', 'file:///2']);
    expect(found({ size: '3', name: 'owl' })).toEqual(['file:///2']);
    expect(found({ colour: 'red' })).toEqual([]);
    expect(refreshes.search('rpm', { name: 'owl' })).toEqual([]);
    expect(refreshes.offers('iso', unitKey)).toEqual([offer('a', 'file:///1')]);
  });
});
