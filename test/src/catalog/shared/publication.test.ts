import { afterAll, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { lastValueFrom, toArray } from 'rxjs';
import { makeClient } from '../../../../src/catalog/mongodb/client.ts';
import { sharedCatalog } from '../../../../src/catalog/shared/catalog.ts';
import { sharedImporters } from '../../../../src/catalog/shared/importers.ts';
import type { SharedStore } from '../../../../src/catalog/shared/open.ts';
import type { CatalogStore } from '../../../../src/catalog/store.ts';
import { databaseSettings } from '../../../support/database-settings.ts';
import { describeMongo, serverName } from '../../../support/mongodb.ts';
import { sharedStores } from '../../../support/shared-catalog.ts';
import { until } from '../../../support/until.ts';

const importerId = 'a'.repeat(24);
const anEntry = (path: string, digit = '1') => ({
  ...{ path, importerId, unitId: 'u', unitTypeId: 'iso', url: `http://h${path}`, revision: 0, data: {} },
  checksum: { algorithm: 'sha256', value: digit.repeat(64) } as const,
});

const publish = async ({ entries }: CatalogStore, prefix: string, names: readonly string[], digit = '1') => {
  const staging = await entries.stage();
  await staging.write(names.map((name) => anEntry(`${prefix}/${name}`, digit)));
  return staging.publishRevision(importerId, prefix);
};

const clients: MongoClient[] = [];
afterAll(async () => {
  for (const client of clients) await client.close();
});

/** The database as a person sees it. */
const insideOf = async (url: string) => {
  const client = new MongoClient(url);
  clients.push(client);
  return client.db();
};

const lookup = async (store: SharedStore, path: string) => {
  const found = await lastValueFrom(sharedCatalog(store, { maxTime: 5_000 }).lookup(path).pipe(toArray()));
  return found.map(({ checksum, revision }) => [checksum?.value[0], revision]);
};

describeMongo(`A publication in ${serverName}`, () => {
  const stores = sharedStores();

  it('counts as a whole from one moment on, for readers of any process', async () => {
    const catalog = await stores.catalog();
    const [writer, reader] = [await catalog.open(), await catalog.open()];
    const names = Array.from({ length: 1_500 }, (_, number) => `${number}`);
    await publish(writer, '/r', names);
    const seen = new Set<string>();
    let isOver = false;
    const publishing = publish(writer, '/r', names).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const [first] = await reader.entries.find('/r/0');
      const [last] = await reader.entries.find('/r/1499');
      seen.add(`${first?.revision} ${last?.revision}`);
    }
    await publishing;
    // The first is read before the last: it may only be older.
    expect([...seen].filter((one) => !['1 1', '1 2', '2 2'].includes(one))).toEqual([]);
    expect(seen).toContain('1 1');
    await reader.catchUp();
    expect(await lookup(reader, '/r/1499')).toEqual([['1', 2]]);
  });

  it('that its process did not survive counts for nothing, and is removed by the next', async () => {
    const catalog = await stores.catalog();
    const [dead, next] = [await catalog.open(), await catalog.open()];
    const inside = await insideOf(catalog.url);
    await publish(next, '/r', ['a']);
    // All but the last step: as after SIGKILL.
    const died = dead.session.change(async ({ entries, gen }) => {
      await entries.insertOne({
        ...{ _id: gen * 2 ** 24, gen, path: '/r/half', importer_id: importerId, prefix: '/r' },
        ...{ unit_id: 'u', unit_type_id: 'iso', url: 'http://h/half', revision: 2 },
      });
      await dead.close();
      throw new Error('died');
    });
    await expect(died).rejects.toThrow();
    expect(await next.entries.find('/r/half')).toEqual([]);
    const marker = inside.collection<{ _id: string }>('catalog');
    const { writer } = (await marker.findOne({ _id: 'pulp-streamer' })) as unknown as { writer: { until: number } };
    expect(writer.until).toBeGreaterThan(Date.now());
    // The minute passes after which others may go on.
    await marker.updateOne({ _id: 'pulp-streamer' }, { $set: { 'writer.until': 1 } });
    await publish(next, '/q', ['b']);
    expect(await inside.collection('entries').countDocuments({ path: '/r/half' })).toBe(0);
    expect(await next.entries.find('/r/a')).toHaveLength(1);
  });

  it('of a process that was stopped until another one took over counts for nothing', async () => {
    const catalog = await stores.catalog();
    const [stopped, other] = [await catalog.open(), await catalog.open()];
    const inside = await insideOf(catalog.url);
    const staging = await stopped.entries.stage();
    await staging.write([anEntry('/r/old')]);
    const overtaken = staging.publishRevision(importerId, '/r', {
      repository: () => {
        throw new Error('never asked for');
      },
    });
    await expect(overtaken).rejects.toThrow('never asked for');
    const late = stopped.session.change(async () => {
      const marker = inside.collection<{ _id: string }>('catalog');
      await marker.updateOne({ _id: 'pulp-streamer' }, { $set: { 'writer.until': 1 } });
      await publish(other, '/r', ['new'], '2');
      return { result: undefined, outcome: { published: [] } };
    });
    await expect(late).rejects.toThrow('another process has changed the catalog meanwhile');
    expect((await other.entries.find('/r/new')).map(({ revision }) => revision)).toEqual([1]);
  });

  it('leaves what it replaces for a minute, for requests that began before; then it is removed', async () => {
    const catalog = await stores.catalog();
    const store = await catalog.open();
    const inside = await insideOf(catalog.url);
    const laterBy = async (milliseconds: number) => {
      const marker = inside.collection<{ _id: string }>('catalog');
      const head = (await marker.findOne({ _id: 'pulp-streamer' })) as unknown as { retired: { at: number }[] };
      const retired = head.retired.map((one) => ({ ...one, at: one.at - milliseconds }));
      await marker.updateOne({ _id: 'pulp-streamer' }, { $set: { retired } });
    };
    const count = () => inside.collection('entries').countDocuments({ path: '/r/a' });
    await publish(store, '/r', ['a']);
    await publish(store, '/r', ['a'], '2');
    await publish(store, '/q', ['b']);
    expect(await count()).toBe(2);
    await laterBy(61_000);
    await publish(store, '/q', ['b']);
    expect(await count()).toBe(1);

    await publish(store, '/r', ['a'], '2');
    await laterBy(91_000);
    // A daemon removes it also if nobody changes anything.
    await catalog.open({ watching: true, tidyEvery: 50 });
    await until(async () => (await count()) === 1);
    expect(await lookup(store, '/r/a')).toEqual([['2', 3]]);
  });
});

describeMongo(`The shared catalog in ${serverName}`, () => {
  const stores = sharedStores();

  it.each([
    ['Pulp', 'lazy_content_catalog', "it is Pulp's (it has lazy_content_catalog)"],
    ['another program', 'invoices', 'it belongs to another program (it has invoices)'],
  ])('is not made in the database of %s', async (_, collection, why) => {
    const { url, open } = await stores.catalog();
    const inside = await insideOf(url);
    await inside.collection(collection).insertOne({ x: 1 });
    const store = await open();
    await expect(Promise.resolve(store.entries.find('/a'))).rejects.toThrow(
      `database ${inside.databaseName}: ${why}; shared_catalog_url must name a database of its own`,
    );
    expect((await inside.listCollections().toArray()).map(({ name }) => name)).toEqual([collection]);
  });

  it.each([
    ['mongodb://db.example.com/x', false],
    ['mongodb://db.example.com/x?tls=true', false],
    ['mongodb://u:p@db.example.com/x', false],
    ['mongodb://u:p@db.example.com/x?tls=true', true],
    ['mongodb://localhost,127.0.0.1:9/x', true],
    ['mongodb://localhost,db.example.com/x', false],
  ])('takes secrets only if nobody else on the network sees them: %s', (url, expected) => {
    expect(makeClient(databaseSettings({ url }), 1_000).isPrivate).toBe(expected);
  });

  it('refuses the secrets of importers otherwise, and takes importers without any', async () => {
    const { session } = await (await stores.catalog()).open();
    const importers = sharedImporters(session, false);
    const secrets = [
      { basic_auth_username: 'u', basic_auth_password: 'p' },
      { headers: { Authorization: 'x' } },
      { feed: 'http://u:p@h/' },
    ];
    for (const config of secrets)
      await expect(Promise.resolve(importers.add({ config }))).rejects.toThrow('expected a user and tls=true');
    const { id } = await importers.ensure({ feed: 'http://h/' });
    await expect(Promise.resolve(importers.change(id, { query_auth_token: 'x' }))).rejects.toThrow('tls=true');
    expect(await importers.list()).toEqual([{ id, config: { feed: 'http://h/' } }]);
  });

  it('is not used by a version that knows another layout', async () => {
    const { url, open } = await stores.catalog();
    await (await open()).entries.find('/a');
    const inside = await insideOf(url);
    await inside.collection<{ _id: string }>('catalog').updateOne({ _id: 'pulp-streamer' }, { $set: { layout: 9 } });
    const store = await open();
    await expect(Promise.resolve(store.entries.find('/a'))).rejects.toMatchObject({
      code: 'CATALOG_UNAVAILABLE',
      message: `database ${inside.databaseName}: it has layout 9, this pulp-streamer supports layout 1`,
    });
  });

  it('notices changes of others within a second, and at once what it has not known before', async () => {
    const catalog = await stores.catalog();
    const [writer, reader] = [await catalog.open(), await catalog.open({ watching: true })];
    expect(await lookup(reader, '/r/a')).toEqual([]);
    await publish(writer, '/r', ['a']);
    expect(await lookup(reader, '/r/a')).toEqual([['1', 1]]);
    await publish(writer, '/r', ['a'], '2');
    let found: unknown;
    while (JSON.stringify(found) !== '[["2",2]]') found = await lookup(reader, '/r/a');
    expect(found).toEqual([['2', 2]]);
  });
});
