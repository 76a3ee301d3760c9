import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CommandStartedEvent, MongoClient } from 'mongodb';
import { defer, firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import type { CatalogEntry } from '../../../../pipelines/model/index.ts';
import { openMongoCatalog } from '../../../../src/catalog/mongodb/catalog.ts';
import { mongoOfferSearch } from '../../../../src/catalog/mongodb/offer-search.ts';
import { mongoRefreshStore } from '../../../../src/catalog/mongodb/refreshes.ts';
import { createDeferredDispatch } from '../../../../src/saves/deferred/dispatch.ts';
import { describeMongo, mongodb, serverName } from '../../../support/mongodb.ts';
import { anEntry as aRiverEntry } from '../../../support/pipeline.ts';
import type { Pulp2 } from '../../../support/pulp2/pulp2.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

/** Texts that mean something to MongoDB, JavaScript or a file system. */
const HOSTILE = [
  '$where',
  '$ne',
  '{"$ne":null}',
  '{"$where":"sleep(10000)"}',
  '[$gt]=',
  'a.b.$c',
  '$unit_id',
  '.',
  '..',
  '../../etc',
  '\0',
  'null',
  'constructor',
  '__proto__',
  'toString',
  "';-- ",
];

/** FerretDB takes no documents with operators for names, MongoDB itself does. */
const operator = (word: string, value: unknown) => ({ [serverName === 'FerretDB' ? word : `$${word}`]: value });

describeMongo(`nothing is reached in ${serverName}`, () => {
  const mongo = mongodb();
  const newFolder = temporaryFolders();
  const folders = { storageDir: newFolder(), pluginConfigDir: newFolder() };
  const commands: CommandStartedEvent[] = [];
  let client: MongoClient;
  let pulp: Pulp2;
  let name: string;
  beforeAll(async () => {
    const server = await mongo.server();
    ({ name, pulp } = await mongo.database(server));
    client = new MongoClient(server.url, { monitorCommands: true });
    client.on('commandStarted', (command) => commands.push(command));
  });
  afterAll(() => client.close());

  const database = {
    ask: <T>(ask: (db: ReturnType<MongoClient['db']>) => Promise<T>) => defer(() => ask(client.db(name))),
  };
  const catalog = () => openMongoCatalog(database, { ...folders, maxTime: 20_000, keepFor: 0 });
  const lookup = (path: string) => lastValueFrom(catalog().lookup(path).pipe(toArray()));
  const offers = (entry: CatalogEntry) => lastValueFrom(catalog().offers(entry).pipe(toArray()));
  const entryAt = (path: string, more: object = {}) => ({
    path,
    importer_id: 'a'.repeat(24),
    unit_id: 'unit',
    unit_type_id: 'rpm',
    url: 'https://feed.example.com/bear.rpm',
    revision: 1,
    ...more,
  });
  /** Collections that were asked since the last call. */
  const asked = () => {
    const all = commands.splice(0).map(({ command, commandName }) => `${commandName} ${command[commandName]}`);
    return [...new Set(all)].sort();
  };

  describe('by a text of a client’s or a repository’s', () => {
    beforeAll(async () => {
      await pulp.unitOf('rpm', 'unit');
      await pulp.entry(entryAt('/secret'));
    });

    it.each(HOSTILE)('that is a path: %j', async (path) => {
      expect(await lookup(path)).toEqual([]);
      await pulp.entry(entryAt(path));
      expect((await lookup(path)).map((entry) => entry.path)).toEqual([path]);
    });

    it.each(HOSTILE)('that is an importer’s id: %j', async (id) => {
      await pulp.importer({});
      await expect(firstValueFrom(catalog().access(id))).rejects.toMatchObject({ code: 'SOURCE_BROKEN' });
    });

    it.each(HOSTILE)('that is a unit’s id or type: %j', async (text) => {
      const key = { name: 'bear', epoch: '0', version: '1', release: '1', arch: 'noarch', checksumtype: 'md5' };
      await pulp.unit('rpm', { ...key, checksum: `${text}` });
      asked();
      expect(await offers(aRiverEntry({ unitId: text }))).toEqual([]);
      expect(await offers(aRiverEntry({ unitTypeId: text }))).toEqual([]);
      expect(asked()).toEqual(['find units_rpm']);
    });

    it.each(HOSTILE)('that operators search for: %j', async (text) => {
      await pulp.offer('one', 'rpm', { name: 'bear' }, 'file:///bear', 9_999_999_999);
      const { at, find } = mongoOfferSearch(database, 20_000);
      expect(await at(`/unknown${text}`)).toBeUndefined();
      expect(await find('rpm', { name: text })).toEqual([]);
      expect(await find(text, { name: 'bear' })).toEqual([]);
    });

    it.each(HOSTILE)('that is recorded: %j', async (text) => {
      const records = client.db(name).collection('deferred_download');
      await records.deleteMany({});
      const { dispatch } = createDeferredDispatch({ records });
      const entry = aRiverEntry({ unitId: text, unitTypeId: text });
      for (const unit of [entry, aRiverEntry(), entry])
        await lastValueFrom(dispatch({ id: 1, requestId: text, failures: 0, entry: unit }), { defaultValue: 0 });
      const found = await records.find({}, { projection: { _id: 0, _ns: 0 } }).toArray();
      expect(found).toEqual([
        { unit_id: text, unit_type_id: text },
        { unit_id: aRiverEntry().unitId, unit_type_id: 'rpm' },
      ]);
    });

    it.each(HOSTILE)('that a source or its metadata contain: %j', async (text) => {
      const store = mongoRefreshStore(database, 20_000);
      const offer = { sourceId: text, typeId: 'rpm', unitKey: { name: text }, url: text, expiration: 2_000_000_000 };
      const refresh = await store.begin(text, 1_500_000_000);
      await store.add(refresh, [offer]);
      const cataloged = { fingerprint: text, paths: [{ path: text, expiration: offer.expiration }] };
      expect(await store.finish(refresh, cataloged)).toBe(true);
      expect(await store.acquire(text, text, 1, 2)).toBe(true);
      expect(await store.count(text, 1)).toBe(1);
      expect(await store.state(text, 3)).toEqual({ sourceId: text, cataloged, leased: false });
      expect(await mongoOfferSearch(database, 20_000).find('rpm', { name: text })).toEqual([offer]);
      await store.settled();
    });
  });

  describe('by a document', () => {
    const good = 'https://feed.example.com/good';
    beforeAll(() => pulp.unitOf('rpm', 'good'));

    it.each<[string, object]>([
      [
        'operators for values',
        { unit_id: operator('gt', ''), importer_id: operator('ne', null), url: operator('where', '1') },
      ],
      ['bytes', { url: { $binary: { base64: 'ZmlsZTovLy9ldGM=', subType: '00' } } }],
      ['a regular expression', { unit_id: { $regularExpression: { pattern: '(a+)+$', options: '' } } }],
      ['a type that is another collection', { unit_type_id: '../../repo_importers' }],
      ['a type with an operator', { unit_type_id: 'rpm.$cmd' }],
      ['a type that is too long for a collection', { unit_type_id: 'x'.repeat(300) }],
      ['a type that is empty', { unit_type_id: '' }],
      ['a type with a zero in it', { unit_type_id: 'rpm\0' }],
      ['an algorithm that every object has', { checksum: 'aa', checksum_algorithm: 'constructor' }],
      ['a checksum that is none', { checksum: '../x', checksum_algorithm: 'sha256' }],
      ['data that is a text', { data: 'x' }],
      ['methods that are no methods', { revision: { toString: 1, valueOf: 1, toJSON: 1 }, data: { toString: 1 } }],
      ['a prototype', { data: { __proto__: { polluted: true }, constructor: { prototype: { polluted: true } } } }],
      ['a size that is none', { data: { size: { valueOf: 1 } } }],
      ['a megabyte of name', { unit_id: 'x'.repeat(1 << 20) }],
    ])('with %s, beside a good one', async (what, fields) => {
      const path = `/hostile/${what}`;
      await pulp.entry({ ...entryAt(path), url: good, unit_id: 'good' });
      const parsed = JSON.parse(JSON.stringify({ ...entryAt(path), importer_id: 'b'.repeat(24), ...fields }));
      if (what === 'a prototype')
        parsed.data = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}');
      await pulp.shaped('lazy_content_catalog', { ...parsed, _id: { toString: 1, toJSON: 1, what } });
      asked();
      const [first, ...others] = await lookup(path);
      // A document as an id is not an id of Pulp's: where it comes in the order does not matter.
      const all = [first, ...others].map((entry) => entry?.url);
      expect(all).toContain(good);
      expect(asked().every((command) => /^find (lazy_content_catalog|units_[\w-]+)$/.test(command))).toBe(true);
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
      expect(first && Object.getPrototypeOf(first.data)).toBe(Object.prototype);
    });

    it('that offers what is no URL, beside one that does', async () => {
      const key = {
        name: 'o',
        epoch: '0',
        version: '1',
        release: '1',
        arch: 'noarch',
        checksumtype: 'md5',
        checksum: 'a',
      };
      const unitId = await pulp.unit('rpm', key);
      await pulp.offer('good', 'rpm', key, good, 9_999_999_999);
      const [offered] = await client.db(name).collection('content_catalog').find({ source_id: 'good' }).toArray();
      for (const [index, fields] of [
        { source_id: { toString: 1 } },
        { url: { toString: 1 } },
        { url: ['file:///etc/passwd'] },
        { url: null },
      ].entries()) {
        const { _id, ...rest } = offered ?? {};
        await pulp.shaped('content_catalog', { ...rest, source_id: `bad${index}`, ...fields });
      }
      expect(await offers(aRiverEntry({ unitId }))).toEqual([{ sourceId: 'good', url: good }]);
    });

    it.each(['../../secrets/x', 'a/b', '/etc', 'a\0'])('whose repository is another folder: %j', async (repository) => {
      const outside = join(folders.storageDir, 'importers', `${repository.replace('\0', '')}-yum_importer`, 'pki');
      mkdirSync(outside, { recursive: true });
      writeFileSync(join(outside, 'ca.crt'), '-----BEGIN CERTIFICATE-----\nsecret\n');
      const id = await pulp.importer({ ssl_ca_cert: 'in a file' }, repository);
      await expect(firstValueFrom(catalog().access(id))).rejects.toMatchObject({
        code: 'SOURCE_BROKEN',
        message: expect.stringContaining('repo_id'),
      });
    });
  });
});
