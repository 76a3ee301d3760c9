import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CommandStartedEvent, MongoClient, MongoServerError } from 'mongodb';
import { defer, firstValueFrom, lastValueFrom, NEVER, type Observable, throwError, toArray } from 'rxjs';
import { type CatalogEntry, StreamError } from '../../../../pipelines/model/index.ts';
import { openMongoCatalog } from '../../../../src/catalog/mongodb/catalog.ts';
import { describeMongo, mongodb, serverName } from '../../../support/mongodb.ts';
import type { Pulp2 } from '../../../support/pulp2/pulp2.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

const PEM = (name: string) => `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`;

describeMongo(`Pulp’s database (${serverName})`, () => {
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
    await pulp.unitOf('rpm', 'unit');
    client = new MongoClient(server.url, { monitorCommands: true });
    client.on('commandStarted', (command) => commands.push(command));
  });
  afterAll(() => client.close());

  const open = (more: Partial<Parameters<typeof openMongoCatalog>[1]> = {}) =>
    openMongoCatalog(
      { ask: (question) => defer(() => question(client.db(name))) },
      { ...folders, maxTime: 20_000, keepFor: 0, ...more },
    );
  const anEntry = (path: string, more: object = {}) => ({
    path,
    importer_id: 'a'.repeat(24),
    unit_id: 'unit',
    unit_type_id: 'rpm',
    url: 'https://feed.example.com/bear.rpm',
    ...more,
  });
  const lookup = (path: string, catalog = open()) => lastValueFrom(catalog.lookup(path).pipe(toArray()));

  describe('a query that the server has interrupted', () => {
    /** Interrupts so many queries first. */
    const interrupting = (times: number, message: { errmsg: string; code: number }, rest?: Observable<never>) => {
      let left = times;
      const cause = new MongoServerError(message);
      const error = new StreamError('CATALOG_UNAVAILABLE', 'catalog', cause.message, { cause });
      return openMongoCatalog(
        {
          ask: (question) =>
            defer(() => {
              left -= 1;
              return left >= 0 ? throwError(() => error) : (rest ?? question(client.db(name)));
            }),
        },
        { ...folders, maxTime: rest ? 200 : 20_000, keepFor: 0 },
      );
    };
    const ended = { errmsg: 'operation was interrupted', code: 11_601 };
    // What FerretDB said while another client of it went away.
    const neighbour = { errmsg: '[collection.go:94 sqlite.(*collection).Query] interrupted (9)', code: 1 };
    beforeAll(() => pulp.entry(anEntry('/interrupted')));

    it.each([ended, neighbour])('is repeated three times: $errmsg', async (message) => {
      expect(await lookup('/interrupted', interrupting(3, message))).toHaveLength(1);
      await expect(lookup('/interrupted', interrupting(4, message))).rejects.toThrow(message.errmsg);
    });

    it('is given up once it has had the time of one query', async () => {
      await expect(lookup('/interrupted', interrupting(1, ended, NEVER))).rejects.toThrow(ended.errmsg);
    });

    it('is not repeated for any other error', async () => {
      const other = { errmsg: 'not authorized', code: 13 };
      await expect(lookup('/interrupted', interrupting(1, other))).rejects.toThrow(other.errmsg);
    });
  });

  describe('entries', () => {
    it('are found by one query that uses only the index on paths, and their units by ids', async () => {
      await pulp.entry(anEntry('/one'));
      await pulp.entry(anEntry('/one', { revision: 2 }));
      commands.length = 0;
      expect(await lookup('/one')).toHaveLength(2);
      const found = commands.filter(({ commandName }) => commandName === 'find');
      expect(found.map(({ command }) => [command.find, command.filter, command.sort, command.maxTimeMS])).toEqual([
        ['lazy_content_catalog', { path: '/one' }, undefined, 20_000],
        ['units_rpm', { _id: { $in: ['unit', 'unit'] } }, undefined, 20_000],
      ]);
    });

    it('are found among a thousand', async () => {
      await pulp.entries(1_000, '/many/%d/package.rpm', 'https://feed.example.com/%d');
      for (const number of [0, 1, 499, 999])
        expect(await lookup(`/many/${number}/package.rpm`)).toMatchObject([
          { url: `https://feed.example.com/${number}` },
        ]);
      expect(await lookup('/many/1000/package.rpm')).toEqual([]);
    });

    const itExplains = serverName === 'FerretDB' ? it.skip : it;
    itExplains(`use the index (needs the query plans of real MongoDB; here: ${serverName})`, async () => {
      const plan = await client.db(name).collection('lazy_content_catalog').find({ path: '/one' }).explain();
      expect(JSON.stringify(plan)).toContain('IXSCAN');
      expect(JSON.stringify(plan)).not.toContain('COLLSCAN');
    });

    it('are skipped if they cannot be read, if another one can', async () => {
      await pulp.entry(anEntry('/half', { url: 'https://feed.example.com/good' }));
      await pulp.broken('lazy_content_catalog', { path: '/half', importer_id: 'b', revision: 1 });
      await pulp.entry(anEntry('/half', { importer_id: 'c', checksum: 'xyz', algorithm: 'sha256' }));
      expect(await lookup('/half')).toMatchObject([{ url: 'https://feed.example.com/good' }]);
    });

    it('are an error with the reason if all are bad', async () => {
      await pulp.broken('lazy_content_catalog', { path: '/bad', importer_id: 'b', revision: 1, url: 7 });
      await expect(lookup('/bad')).rejects.toMatchObject({
        code: 'SOURCE_BROKEN',
        source: 'catalog',
        message: expect.stringMatching(/^\/bad: lazy_content_catalog [0-9a-f]{24}: .*unit_id: .*url: /),
      });
    });

    it('without their unit come last, and are named', async () => {
      const named: CatalogEntry[] = [];
      const catalog = open({ onUnitMissing: (entry) => named.push(entry) });
      const { checksum } = { checksum: { checksum: 'a'.repeat(64), algorithm: 'sha256' } };
      for (const [revision, unit] of [
        [1, { unit_id: 'gone' }],
        [2, {}],
        [3, { unit_type_id: 'iso' }],
        [4, { unit_id: 'gone too', ...checksum }],
      ] as const)
        await pulp.entry(anEntry('/gone', { revision, ...unit }));
      const found = await lookup('/gone', catalog);
      expect(found.map(({ revision, unitMissing }) => [revision, unitMissing])).toEqual([
        [2, undefined],
        [4, true],
        [3, true],
        [1, true],
      ]);
      expect(named).toEqual(found.slice(1));
    });

    it.each<[string, object, number]>([
      ['null', { revision: null }, 0],
      ['missing', {}, 0],
      ['an int', { revision: { $numberInt: '3' } }, 3],
      ['a long', { revision: { $numberLong: '3' } }, 3],
      ['a long that no double can be', { revision: { $numberLong: '9007199254740993' } }, 9007199254740992],
      ['a double', { revision: { $numberDouble: '3.0' } }, 3],
      ['a double with a fraction', { revision: { $numberDouble: '3.7' } }, 3],
      ['an array', { revision: [3] }, 0],
      ['a text', { revision: '3' }, 3],
      ['a text that is no number', { revision: 'x' }, 0],
      ['a document', { revision: { toString: 1, valueOf: 1 } }, 0],
    ])('have the revision that was meant where it is %s', async (what, revision, expected) => {
      const path = `/revision/${what}`;
      await pulp.shaped('lazy_content_catalog', { ...anEntry(path), ...revision });
      const [found, ...others] = await lookup(path);
      expect([found?.revision, found?.replaced, others]).toEqual([expected, expected > 1 ? true : undefined, []]);
    });

    it('are in order, whatever wrote their revisions', async () => {
      for (const [id, revision] of [
        ['000000000000000000000001', '2'],
        ['000000000000000000000002', null],
        ['000000000000000000000003', { $numberLong: '1' }],
      ])
        await pulp.shaped('lazy_content_catalog', { ...anEntry('/ordered'), _id: { $oid: id }, revision });
      expect((await lookup('/ordered')).map(({ revision }) => revision)).toEqual([1, 0, 2]);
    });

    it('may have null for absent fields, and any algorithm that Pulp supports', async () => {
      await pulp.broken('lazy_content_catalog', {
        ...anEntry('/null'),
        checksum: null,
        checksum_algorithm: null,
        data: null,
      });
      expect((await lookup('/null'))[0]).toEqual({
        path: '/null',
        importerId: 'a'.repeat(24),
        unitId: 'unit',
        unitTypeId: 'rpm',
        url: 'https://feed.example.com/bear.rpm',
        revision: 0,
        data: {},
      });
      for (const [algorithm, digits] of Object.entries({
        md5: 32,
        sha1: 40,
        sha224: 56,
        sha256: 64,
        sha384: 96,
        sha512: 128,
      })) {
        await pulp.entry(anEntry(`/${algorithm}`, { checksum: 'A'.repeat(digits), algorithm }));
        expect((await lookup(`/${algorithm}`))[0]?.checksum).toEqual({ algorithm, value: 'a'.repeat(digits) });
      }
    });

    it('are cached for a moment, unknown paths too, but not after they proved wrong', async () => {
      const catalog = open({ keepFor: 1_000_000 });
      expect(await lookup('/kept', catalog)).toEqual([]);
      await pulp.entry(anEntry('/kept'));
      expect(await lookup('/kept', catalog)).toEqual([]);
      catalog.forget('/kept');
      expect(await lookup('/kept', catalog)).toHaveLength(1);
      await pulp.removeEntries('/kept');
      expect(await lookup('/kept', catalog)).toHaveLength(1);
      catalog.forget('/kept');
      expect(await lookup('/kept', catalog)).toEqual([]);
    });
  });

  describe('importers', () => {
    const access = (id: string) => firstValueFrom(open().access(id));
    const overlay = (type: string, text: string) => writeFileSync(join(folders.pluginConfigDir, `${type}.json`), text);

    it('override the defaults of their type, and are read again each time', async () => {
      const id = await pulp.importer(
        { max_downloads: 2, proxy_host: 'own.test', proxy_username: null },
        'zoo',
        'a_importer',
      );
      expect(await access(id)).toEqual({ maxConcurrent: 2 });
      overlay('a_importer', '{"proxy_host": "all.test", "proxy_port": 3128, "max_speed": 5, "max_downloads": 9}');
      expect(await access(id)).toEqual({ maxConcurrent: 2, maxSpeed: 5, proxy: { url: 'http://own.test:3128' } });
      await pulp.changeImporter(id, { max_downloads: 3, proxy_host: null, proxy_port: '8080' });
      expect(await access(id)).toEqual({ maxConcurrent: 3, maxSpeed: 5, proxy: { url: 'http://all.test:8080' } });
    });

    it('may have numbers and booleans as texts, and null or empty texts for unset values', async () => {
      const id = await pulp.importer({
        max_speed: '1000.5',
        max_downloads: '4',
        ssl_validation: 'False',
        ssl_ca_cert: '',
        feed: null,
        proxy_port: '',
      });
      expect(await access(id)).toEqual({ maxSpeed: 1000.5, maxConcurrent: 4, verifyServer: false });
    });

    it('have certificates as texts, or in files if the texts were removed', async () => {
      const folder = join(folders.storageDir, 'importers/pki-zoo-yum_importer/pki');
      mkdirSync(folder, { recursive: true });
      for (const file of ['ca.crt', 'client.crt', 'client.key']) writeFileSync(join(folder, file), PEM(file));
      const gone = { ssl_ca_cert: true, ssl_client_cert: 'kept in a file', ssl_client_key: PEM('own key') };
      expect(await access(await pulp.importer(gone, 'pki-zoo'))).toEqual({
        ca: PEM('ca.crt'),
        clientCert: PEM('client.crt'),
        clientKey: PEM('own key'),
      });
      // A file that the configuration does not name is not used.
      expect(await access(await pulp.importer({}, 'pki-zoo'))).toEqual({});
    });

    it.each<[string, object, string | undefined, RegExp]>([
      ['a value of the wrong type', { proxy_port: 'http' }, undefined, /^importer [0-9a-f]{24}: proxy_port: /],
      ['an overlay that is not JSON', {}, '{', /b_importer\.json is not a JSON object: /],
      ['an overlay that is not an object', {}, '[]', /b_importer\.json is not a JSON object: /],
    ])('errors with SOURCE_BROKEN for %s', async (_, config, text, message) => {
      const id = await pulp.importer(config, 'zoo', 'b_importer');
      overlay('b_importer', text ?? '{}');
      await expect(access(id)).rejects.toMatchObject({
        code: 'SOURCE_BROKEN',
        message: expect.stringMatching(message),
      });
    });

    it('cannot lead out of the folders', async () => {
      const id = await pulp.importer({}, 'zoo', '../../etc/x');
      await expect(access(id)).rejects.toMatchObject({ code: 'SOURCE_BROKEN' });
    });
  });

  describe('offers', () => {
    it('are empty for a unit with an incomplete key', async () => {
      await pulp.broken('units_iso', { _id: 'half', name: 'zoo.iso', size: 7 });
      const entry = { path: '/x', importerId: '', unitId: 'half', unitTypeId: 'iso', url: '', revision: 1, data: {} };
      expect(await lastValueFrom(open().offers(entry).pipe(toArray()))).toEqual([]);
    });
  });

  it('is unchanged: no writes, no new collection, no new index', async () => {
    const catalog = open();
    const id = await pulp.importer({});
    const entry = { path: '/x', importerId: '', unitId: 'x', unitTypeId: 'srpm', url: '', revision: 1, data: {} };
    const before = await pulp.state();
    await lookup('/one', catalog);
    await firstValueFrom(catalog.access(id));
    await lastValueFrom(catalog.offers(entry).pipe(toArray()));
    expect(await pulp.state()).toEqual(before);
  });
});
