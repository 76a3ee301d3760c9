import { afterAll, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { firstValueFrom, toArray } from 'rxjs';
import { openMongoCatalog } from '../../../../src/catalog/mongodb/catalog.ts';
import { type Connection, connectMongo } from '../../../../src/catalog/mongodb/connection.ts';
import { mongoRefreshStore } from '../../../../src/catalog/mongodb/refreshes.ts';
import { refreshStoreContract } from '../../../contracts/refresh-store.ts';
import { databaseSettings } from '../../../support/database-settings.ts';
import { describeMongo, mongodb, serverName } from '../../../support/mongodb.ts';

const WITHIN = 20_000;

describeMongo(`refreshes in Pulp’s database (${serverName})`, () => {
  const opened: { close(): Promise<void> }[] = [];
  afterAll(async () => {
    for (const one of opened.splice(0)) await one.close();
  });
  // After the one above: a server that is gone cannot be taken leave of.
  const mongo = mongodb();
  const open = async () => {
    const server = await mongo.server();
    const { name, pulp } = await mongo.database(server);
    const client = new MongoClient(server.url);
    const connect = (): Connection => {
      const made = connectMongo(databaseSettings({ url: server.url, name }), WITHIN);
      opened.push(made);
      return made;
    };
    opened.push(client);
    return { connect, pulp, database: client.db(name) };
  };

  refreshStoreContract('MongoDB', async () => {
    const { connect, database } = await open();
    return {
      one: mongoRefreshStore(connect(), WITHIN),
      two: mongoRefreshStore(connect(), WITHIN),
      urls: async (source_id) => {
        const found = await database.collection('content_catalog').find({ source_id }).sort({ _id: 1 }).toArray();
        return found.map(({ url }) => String(url));
      },
      close: async () => {},
    };
  });

  it('are found by the catalog, before Pulp’s own older ones, and are documents of the same shape and types', async () => {
    const { connect, pulp, database } = await open();
    const connection = connect();
    const key = { name: 'zoo.iso', checksum: 'd'.repeat(64), size: 7_000_000_000 };
    const unitId = await pulp.unit('iso', key);
    const now = Math.floor(Date.now() / 1000);
    await pulp.offer('shared', 'iso', key, 'file:///pulp', now + 3600);
    const store = mongoRefreshStore(connection, WITHIN);
    const refresh = await store.begin('shared', now);
    const offer = { sourceId: 'shared', typeId: 'iso', unitKey: key, url: 'file:///ours', expiration: now + 3600 };
    await store.add(refresh, [offer]);
    await store.finish(refresh, { fingerprint: 'what', paths: [{ path: '', expiration: now + 3600 }] });

    const types = { promoteLongs: false, promoteValues: false };
    const content = database.collection('content_catalog');
    const documents = await content.find({}, { ...types, projection: { _id: 0, url: 0 } }).toArray();
    expect(documents).toHaveLength(2);
    expect(documents[1]).toEqual(documents[0]);
    const catalog = openMongoCatalog(connection, { storageDir: '/none', pluginConfigDir: '/none', maxTime: WITHIN });
    const entry = { path: '/x', importerId: '', unitId, unitTypeId: 'iso', url: '', revision: 1, data: {} };
    expect(await firstValueFrom(catalog.offers(entry).pipe(toArray()))).toEqual([
      { sourceId: 'shared', url: 'file:///ours' },
    ]);
  });

  it('leave concurrent offers of Pulp, and every index', async () => {
    const { connect, pulp, database } = await open();
    const key = { name: 'zoo.iso', checksum: 'd'.repeat(64), size: 1 };
    const now = Math.floor(Date.now() / 1000);
    const before = await database.collection('content_catalog').indexes();
    const store = mongoRefreshStore(connect(), WITHIN);
    // With a clock that is behind, Pulp's offers have a later second.
    const refresh = await store.begin('shared', now - 60);
    await store.add(refresh, [
      { sourceId: 'shared', typeId: 'iso', unitKey: key, url: 'file:///ours', expiration: now + 3600 },
    ]);
    await pulp.offer('shared', 'iso', key, 'file:///pulp', now + 3600);
    await store.abandon(refresh);
    expect(await database.collection('content_catalog').distinct('url')).toEqual(['file:///pulp']);
    expect(await database.collection('content_catalog').indexes()).toEqual(before);
    expect(await database.collection('pulp_streamer_refreshes').indexes()).toHaveLength(1);
  });
});
