import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EMPTY, firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import type { Catalog, CatalogEntry, Child } from '../../pipelines/model/index.ts';
import type { OfferSearch } from '../../src/catalog/offer-search.ts';

type UnitKey = Readonly<Record<string, string | number>>;

/** A catalog, and how its owner fills it. */
export interface CatalogUnderTest {
  readonly catalog: Catalog;
  readonly search: OfferSearch;
  /** Writes an entry as the newest. */
  addEntry(entry: CatalogEntry, unitKey: UnitKey): Promise<void>;
  removeEntries(path: string): Promise<void>;
  /** Resolves to the importer's id. */
  addImporter(config: Readonly<Record<string, unknown>>): Promise<string>;
  /** Resolves to the unit's id, for use in an entry. */
  addUnit(typeId: string, key: UnitKey): Promise<string>;
  addOffer(sourceId: string, typeId: string, key: UnitKey, url: string, expiration: number): Promise<void>;
  close(): Promise<void>;
}

/** The time of the tests in Unix seconds. */
const NOW = 1_500_000_000;

const BEAR: UnitKey = {
  name: 'bear',
  epoch: '0',
  version: '4.1',
  release: '1',
  arch: 'noarch',
  checksumtype: 'sha256',
  checksum: '7a831f9f90bf4d21027572cb503d20b702de8e8785b02c0397445c2e481d81b3',
};
const KEYS: readonly (readonly [typeId: string, key: UnitKey])[] = [
  ['rpm', BEAR],
  ['srpm', { ...BEAR, arch: 'src' }],
  [
    'drpm',
    {
      epoch: '0',
      version: '4.1',
      release: '1',
      filename: 'drpms/bear-4.0_4.1.drpm',
      checksumtype: 'sha256',
      checksum: 'c'.repeat(64),
    },
  ],
  [
    'distribution',
    { distribution_id: 'ks-Zoo-Särver-1-x86_64', family: 'Zoo', variant: 'Särver', version: '1', arch: 'x86_64' },
  ],
  ['iso', { name: 'zoo.iso', checksum: 'd'.repeat(64), size: 7_000_000_000 }],
];

const A = 'a'.repeat(24);
const B = 'b'.repeat(24);

/**
 * The contract of the port Catalog, for every implementation. The tests do not disturb each other's
 * data.
 */
export const catalogContract = (
  name: string,
  create: (options: { now: () => number }) => Promise<CatalogUnderTest>,
): void => {
  describe(`${name} as a catalog`, () => {
    let made: CatalogUnderTest;
    let catalog: Catalog;
    beforeAll(async () => {
      made = await create({ now: () => NOW * 1000 });
      catalog = made.catalog;
    });
    afterAll(() => made.close());

    const lookup = (path: string) => lastValueFrom(catalog.lookup(path).pipe(toArray()));
    const anEntry = (path: string, more: Partial<CatalogEntry> = {}): CatalogEntry => ({
      path,
      importerId: A,
      unitId: 'unit',
      unitTypeId: 'rpm',
      url: 'https://feed.example.com/bear.rpm',
      revision: 1,
      data: {},
      ...more,
    });
    const add = async (...entries: readonly CatalogEntry[]) => {
      for (const entry of entries) await made.addEntry(entry, BEAR);
    };

    describe('children', () => {
      const children = (folder: string, after?: Child, limit = 100): Promise<Child[]> =>
        lastValueFrom((catalog.children?.(folder, after, limit) ?? EMPTY).pipe(toArray()));
      const FILE = { isFolder: false };
      const FOLDER = { isFolder: true };
      const EXPECTED = [
        { name: 'Bär.rpm', ...FILE },
        { name: 'a', ...FILE },
        { name: 'a-1', ...FILE },
        { name: 'a', ...FOLDER },
        { name: 'b', ...FOLDER },
        { name: 'c', ...FILE, checksum: { algorithm: 'sha256', value: '2'.repeat(64) } },
      ];
      beforeAll(async () => {
        const checksum = (digit: string) => ({ algorithm: 'sha256', value: digit.repeat(64) }) as const;
        const below = ['a', 'a-1', 'a/1', 'a/2/3', 'b/1', 'Bär.rpm', '', '/1', '../1'];
        await add(...below.map((name) => anEntry(`/tree/${name}`)), anEntry('/tree'), anEntry('/tree0'));
        await add(
          anEntry('/tree/c', { checksum: checksum('1') }),
          anEntry('/tree/c', { checksum: checksum('2'), revision: 2 }),
        );
      });

      it('are the files and folders below a folder, each once, with the newest checksum', async () =>
        expect(await children('/tree/')).toEqual(EXPECTED));

      it('come in pages, each after the last one of the page before', async () => {
        for (const limit of [1, 2, 5]) {
          const found: Child[] = [];
          for (;;) {
            const page = await children('/tree/', found.at(-1), limit);
            found.push(...page);
            expect(page.length).toBeLessThanOrEqual(limit);
            if (page.length < limit) break;
          }
          expect(found).toEqual(EXPECTED);
        }
      });

      it('have their sizes', async () => {
        await add(anEntry('/sized/a', { data: { size: 7 } }));
        expect(await children('/sized/')).toEqual([{ name: 'a', ...FILE, size: 7 }]);
      });

      it('are those of the root as well', async () =>
        expect(await children('/')).toContainEqual({ name: 'tree', ...FOLDER }));

      it('of an unknown folder are none', async () => expect(await children('/tre/')).toEqual([]));
    });

    describe('lookup', () => {
      it('returns every field', async () => {
        const entry = anEntry('/every/field', {
          checksum: { algorithm: 'sha512', value: 'e'.repeat(128) },
          data: { nested: ['é', { deep: 1 }] },
        });
        await add(entry);
        expect(await lookup('/every/field')).toEqual([entry]);
      });

      it('marks the newest entry as replaced if there was other content, but not a first one', async () => {
        const checksum = (digit: string) => ({ algorithm: 'sha256', value: digit.repeat(64) }) as const;
        await add(anEntry('/replaced', { checksum: checksum('1') }));
        expect((await lookup('/replaced'))[0]).not.toHaveProperty('replaced');
        await add(anEntry('/replaced', { checksum: checksum('2'), revision: 2 }));
        expect((await lookup('/replaced'))[0]).toMatchObject({ checksum: checksum('2'), replaced: true });
        await add(anEntry('/replaced', { checksum: checksum('2'), revision: 3 }));
        expect((await lookup('/replaced'))[0]).toMatchObject({ revision: 3, replaced: true });
      });

      it('has the newest first, for any revision, and may have two revisions of an importer', async () => {
        const at = (importerId: string, revision: number) => anEntry('/order', { importerId, revision });
        await add(at(A, 7), at(B, 2), at(A, 8));
        const found = await lookup('/order');
        expect(found.map(({ importerId, revision }) => [importerId, revision])).toEqual([
          [A, 8],
          [B, 2],
          [A, 7],
        ]);
      });

      it('completes without an entry for an unknown path', async () => {
        expect(await lookup('/unknown')).toEqual([]);
      });

      it('matches paths exactly', async () => {
        await add(anEntry('/exact/a%2Bb.é'));
        expect(await lookup('/exact/a%2Bb.é')).toHaveLength(1);
        for (const path of [
          '/exact/a+b.é',
          '/EXACT/a%2Bb.é',
          '/exact/a%2bb.é',
          '/exact/a%2Bb.é/',
          '/exact',
          '/exact/a%',
        ])
          expect(await lookup(path)).toEqual([]);
      });

      it('takes the size from data', async () => {
        await add(anEntry('/size', { data: { size: 99 } }), anEntry('/size', { data: { size: -1 }, importerId: B }));
        expect((await lookup('/size')).map(({ size }) => size)).toEqual([undefined, 99]);
      });

      it('asks at each subscription and not before', async () => {
        const asked = catalog.lookup('/later').pipe(toArray());
        await add(anEntry('/later'));
        expect(await lastValueFrom(asked)).toHaveLength(1);
        await made.removeEntries('/later');
        expect(await lastValueFrom(asked)).toHaveLength(0);
      });

      it('emits nothing after unsubscription', async () => {
        await add(anEntry('/left', { revision: 1 }), anEntry('/left', { revision: 2 }));
        expect(await lastValueFrom(catalog.lookup('/left').pipe(take(1), toArray()))).toMatchObject([{ revision: 2 }]);
        const seen: unknown[] = [];
        const gone = catalog
          .lookup('/left')
          .subscribe({ next: (one) => seen.push(one), complete: () => seen.push('over') });
        gone.unsubscribe();
        const before = [...seen];
        // Asked later, answered later.
        await lookup('/left');
        await lookup('/unknown');
        expect(seen).toEqual(before);
      });
    });

    describe('access', () => {
      const access = async (config: Readonly<Record<string, unknown>>) =>
        firstValueFrom(catalog.access(await made.addImporter(config)));

      it('has the values of the importer’s configuration', async () => {
        const config = {
          feed: 'https://feed.example.com/',
          ssl_ca_cert: '-----BEGIN CERTIFICATE-----\nCA',
          ssl_client_cert: '-----BEGIN CERTIFICATE-----\nCERT',
          ssl_client_key: '-----BEGIN PRIVATE KEY-----\nKEY',
          ssl_validation: false,
          proxy_host: 'proxy.example.com',
          proxy_port: 3128,
          proxy_username: 'p',
          proxy_password: 'q',
          basic_auth_username: 'u',
          basic_auth_password: 'v',
          max_downloads: 3,
          max_speed: 100_000,
          connect_timeout: 6.05,
          read_timeout: 27,
        };
        expect(await access(config)).toEqual({
          home: config.feed,
          ca: config.ssl_ca_cert,
          clientCert: config.ssl_client_cert,
          clientKey: config.ssl_client_key,
          verifyServer: false,
          proxy: { url: 'http://proxy.example.com:3128', username: 'p', password: 'q' },
          basicAuth: { username: 'u', password: 'v' },
          maxConcurrent: 3,
          maxSpeed: 100_000,
          connectTimeout: 6050,
          readTimeout: 27_000,
        });
      });

      it('ignores half a pair, and keeps the scheme of the proxy', async () => {
        const halves = {
          ssl_client_cert: '-----BEGIN CERTIFICATE-----\nCERT',
          ssl_validation: true,
          proxy_host: 'https://proxy.example.com/',
          proxy_port: 8080,
          proxy_username: 'p',
          basic_auth_password: 'v',
        };
        expect(await access(halves)).toEqual({ proxy: { url: 'https://proxy.example.com:8080' } });
        expect(await access({ proxy_host: 'proxy.example.com' })).toEqual({});
      });

      it('is empty if the importer has no settings', async () => {
        expect(await access({})).toEqual({});
      });

      it.each([A, 'no id', ''])('errors with SOURCE_BROKEN for an unknown importer: “%s”', async (id) => {
        await expect(firstValueFrom(catalog.access(id))).rejects.toMatchObject({
          code: 'SOURCE_BROKEN',
          source: 'catalog',
          message: `importer ${id} is not in the catalog`,
        });
      });
    });

    describe('offers', () => {
      const entryOf = async (typeId: string, key: UnitKey) => {
        const unitId = await made.addUnit(typeId, key);
        const entry = anEntry(`/offered/${typeId}/${unitId}`, { unitTypeId: typeId, unitId });
        await made.addEntry(entry, key);
        return entry;
      };
      const offers = (entry: CatalogEntry) => lastValueFrom(catalog.offers(entry).pipe(toArray()));

      it.each(KEYS)('are found by the unit’s key: %s', async (typeId, key) => {
        const entry = await entryOf(typeId, key);
        await made.addOffer('here', typeId, key, `https://here.example.com/${typeId}`, NOW + 60);
        await made.addOffer(
          'here',
          typeId,
          { ...key, version: 'x', name: 'x' },
          'https://here.example.com/x',
          NOW + 60,
        );
        expect(await offers(entry)).toEqual([{ sourceId: 'here', url: `https://here.example.com/${typeId}` }]);
      });

      it('are the newest unexpired one of each source', async () => {
        const key = { ...BEAR, name: 'newest' };
        const entry = await entryOf('rpm', key);
        await made.addOffer('one', 'rpm', key, 'file:///old', NOW + 60);
        await made.addOffer('two', 'rpm', key, 'file:///two', NOW);
        await made.addOffer('one', 'rpm', key, 'file:///new', NOW + 30);
        await made.addOffer('late', 'rpm', key, 'file:///late', NOW - 1);
        await made.addOffer('two', 'rpm', key, 'file:///late', NOW - 1);
        expect(await offers(entry)).toEqual([
          { sourceId: 'one', url: 'file:///new' },
          { sourceId: 'two', url: 'file:///two' },
        ]);
      });

      it('are empty for a unit that no source has, or whose key is unknown', async () => {
        const key = { ...BEAR, name: 'nobody' };
        const entry = await entryOf('rpm', key);
        expect(await offers(entry)).toEqual([]);
        await made.addOffer('one', 'rpm', key, 'file:///one', NOW + 60);
        expect(await offers(entry)).toHaveLength(1);
        expect(await offers({ ...entry, unitId: 'another' })).toEqual([]);
        expect(await offers({ ...entry, unitTypeId: 'srpm' })).toEqual([]);
        expect(await offers({ ...entry, unitTypeId: 'constructor' })).toEqual([]);
      });
    });

    describe('the search for operators', () => {
      const key = { ...BEAR, name: 'sought', version: '5' };
      const disc: UnitKey = { name: 'sought.iso', checksum: 'd'.repeat(64), size: 7_000_000_000 };
      const urls = (found: readonly { readonly url: string }[] | undefined) => found?.map(({ url }) => url);
      beforeAll(async () => {
        const unitId = await made.addUnit('rpm', key);
        await made.addEntry(anEntry('/sought', { unitId }), key);
        await made.addOffer('one', 'rpm', key, 'file:///expired', NOW - 1);
        await made.addOffer('two', 'rpm', key, 'file:///two', NOW + 60);
        await made.addOffer('two', 'rpm', { ...key, version: '6' }, 'file:///six', NOW + 60);
        await made.addOffer('two', 'srpm', key, 'file:///source', NOW + 60);
        await made.addOffer('two', 'iso', disc, 'file:///iso', NOW + 60);
      });

      it('finds all offers of a path’s units, expired ones too, oldest first', async () => {
        expect(await made.search.at('/sought')).toEqual([
          { sourceId: 'one', typeId: 'rpm', unitKey: key, url: 'file:///expired', expiration: NOW - 1 },
          { sourceId: 'two', typeId: 'rpm', unitKey: key, url: 'file:///two', expiration: NOW + 60 },
        ]);
        await made.addEntry(anEntry('/sought/by-nobody', { unitId: 'nobody' }), { ...key, name: 'by-nobody' });
        expect(await made.search.at('/sought/by-nobody')).toEqual([]);
        expect(await made.search.at('/sought/nowhere')).toBeUndefined();
      });

      it('finds offers by fields of the key, including numbers', async () => {
        expect(urls(await made.search.find('rpm', { name: 'sought' }))).toEqual([
          'file:///expired',
          'file:///two',
          'file:///six',
        ]);
        expect(urls(await made.search.find('rpm', { name: 'sought', version: '6' }))).toEqual(['file:///six']);
        expect(urls(await made.search.find('iso', { size: '7000000000' }))).toContain('file:///iso');
        expect(urls(await made.search.find('iso', { name: 'sought.iso', size: '7' }))).toEqual([]);
        expect(urls(await made.search.find('rpm', { colour: 'red' }))).toEqual([]);
      });
    });
  });
};
