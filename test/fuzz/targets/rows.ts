import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { Db } from 'mongodb';
import { EMPTY, lastValueFrom, toArray } from 'rxjs';
import { type Candidate, StreamError } from '../../../pipelines/model/index.ts';
import { alternateCandidates } from '../../../src/alternates/candidates.ts';
import { readDescriptors } from '../../../src/alternates/descriptors/parse.ts';
import { locatorOf } from '../../../src/catalog/locator.ts';
import { findOffers } from '../../../src/catalog/mongodb/offers.ts';
import { openSqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import { sqliteOfferSearch } from '../../../src/catalog/sqlite/offer-search.ts';
import { parseDescriptor } from '../../../src/config/ini.ts';
import { isRecord } from '../../../src/lib/record.ts';
import { OddEntry } from '../../../src/repositories/odd-entry.ts';
import type { Target } from '../engine/target.ts';
import { outcomeOf, outcomeOfAsync } from '../invariants/outcome.ts';

const folder = mkdtempSync(join(tmpdir(), 'pulp-streamer-fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'catalog.db');
const catalog = openSqliteCatalog(file, { now: () => 0 });
const search = sqliteOfferSearch(catalog);
const other = new DatabaseSync(file);
const childrenOf = catalog.children ?? (() => EMPTY);

const KEY = { name: 'a', checksum: '0'.repeat(64), size: 1 };
const { sources } = readDescriptors(
  [
    parseDescriptor(
      '[s]\nenabled: 1\ntype: files\nbase_url: http://a/b/\n[d]\nenabled: 1\ntype: files\nbase_url: file:///a/\n',
      'd.conf',
    ),
  ],
  ['files'],
);

/** The tables, each with the columns of a row that is well. */
const TABLES: Readonly<Record<string, Readonly<Record<string, SQLInputValue>>>> = {
  lazy_content_catalog: {
    ...{ path: '/a', importer_id: 'i', unit_id: 'u', unit_type_id: 'iso', url: 'http://a/a', checksum: null },
    ...{ checksum_algorithm: null, size: null, revision: 1, data: '{}', prefix: null, replaced: 0 },
  },
  units: { id: 'u', type_id: 'iso', unit_key: JSON.stringify(KEY) },
  repo_importers: { id: 'i', repo_id: null, importer_type_id: null, config: '{"feed":"http://a/"}' },
  content_catalog: {
    ...{ source_id: 's', expiration: 1, type_id: 'iso', unit_key: JSON.stringify(KEY) },
    ...{ locator: locatorOf('iso', KEY), url: 'http://a/b/c' },
  },
  content_sources: {
    source_id: 's',
    fingerprint: 'f',
    mark: 1,
    token: null,
    holder: null,
    leased_until: 0,
    next_try: null,
  },
  content_source_paths: { source_id: 's', path: '', expiration: 0, problem: null },
};

/** Writes rows as another program could: the given columns of each table, the rest as it should be. */
const write = (given: Readonly<Record<string, unknown>>): void => {
  for (const [table, row] of Object.entries(TABLES)) {
    other.exec(`DELETE FROM ${table}`);
    const columns = isRecord(given[table]) ? given[table] : {};
    const names = Object.keys(row);
    const insert = other.prepare(`INSERT INTO ${table} (${names}) VALUES (${names.map((name) => `:${name}`)})`);
    const values = names.map((name) => [name, Object.hasOwn(columns, name) ? plain(columns[name]) : row[name]]);
    // Its types refuse many.
    outcomeOf(() => insert.run(Object.fromEntries(values)), Error, TypeError, RangeError);
  }
};

const plain = (value: unknown): unknown =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : value;

/** The documents of a collection, as they come from the driver. */
const collectionOf = (documents: readonly unknown[]): Db =>
  ({
    collection: () => ({ find: () => ({ limit: () => ({ toArray: async () => [...documents] }) }) }),
  }) as unknown as Db;

const checkCandidate = ({ url, root, source }: Candidate): void => {
  const { baseUrl = '' } = sources.find(({ id }) => id === source.id) ?? {};
  assert.ok(new URL(url).href.startsWith(baseUrl) && baseUrl !== '', 'an offer outside of its source');
  assert.ok(!decodeURI(new URL(url).pathname).split('/').includes('..'), 'an offer with dots');
  assert.equal(root !== undefined, new URL(url).protocol === 'file:');
};

export const target: Target = {
  about: 'rows of the catalog and of offers of alternate sources that other programs wrote, in SQLite and MongoDB',
  tokens: [
    ...['{', '}', '[', ']', '"', ':', ',', 'null', 'true', '-1', '1e400', '9007199254740993', '\\u0000', '\\"', '/../'],
    ...Object.entries(TABLES).flatMap(([table, row]) => [
      `"${table}":{`,
      ...Object.keys(row).map((name) => `"${name}":`),
    ]),
    ...['"{}"', '"null"', '"file:///a/b"', '"http://a/b/"', '"data":{}', '"sha256"', '0'.repeat(64), '%2e%2e', '\\\\'],
    ...['"_id":', '"feed":"http://a/"', '"proxy_host":"p"', '"toString"', '__proto__'],
  ],
  check: async (input) => {
    const json = outcomeOf(() => JSON.parse(input.toString()), SyntaxError);
    if ('error' in json || !isRecord(json.result)) return;
    write(json.result);
    const found = await outcomeOfAsync(() => lastValueFrom(catalog.lookup('/a').pipe(toArray())), StreamError);
    await outcomeOfAsync(() => lastValueFrom(childrenOf('/', undefined, 9).pipe(toArray())), StreamError);
    await outcomeOfAsync(() => lastValueFrom(catalog.access('i')), StreamError);
    outcomeOf(() => [...catalog.entries.list('/')], OddEntry, RangeError);
    for (const entry of 'result' in found ? found.result : []) {
      assert.ok(entry.size === undefined || (Number.isSafeInteger(entry.size) && entry.size >= 0));
      const candidates = alternateCandidates(catalog, () => sources)(entry).pipe(toArray());
      const offered = await outcomeOfAsync(() => lastValueFrom(candidates), StreamError);
      if ('result' in offered) offered.result.forEach(checkCandidate);
    }
    await outcomeOfAsync(() => search.at('/a'), OddEntry, RangeError);
    await outcomeOfAsync(() => search.find('iso', {}), OddEntry, RangeError);
    const { cataloged, nextTry = 0 } = catalog.refreshes.state('s', 0) ?? {};
    assert.ok(
      Number.isFinite(nextTry) && (cataloged?.paths ?? []).every(({ expiration }) => Number.isFinite(expiration)),
    );
    const documents = [json.result, json.result.content_catalog].filter(isRecord);
    for (const { sourceId, url } of await findOffers(collectionOf(documents), 'iso', KEY, 0, 1))
      assert.deepEqual([typeof sourceId, typeof url], ['string', 'string']);
  },
};
