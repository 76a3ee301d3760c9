import { connect, createServer } from 'node:net';
import { afterAll, expect, it } from '@jest/globals';
import { BSON } from 'mongodb';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { connectMongo } from '../../../../src/catalog/mongodb/connection.ts';
import { sharedCatalog } from '../../../../src/catalog/shared/catalog.ts';
import { openSharedStore } from '../../../../src/catalog/shared/open.ts';
import { databaseSettings } from '../../../support/database-settings.ts';
import { startOn, type TestFeed } from '../../../support/feeds.ts';
import { describeMongo, describeMongoItself, serverName } from '../../../support/mongodb.ts';
import { sharedStores } from '../../../support/shared-catalog.ts';

const LIMIT = { maxTime: 30_000, patience: 30_000 };
const relays: TestFeed[] = [];
afterAll(() => Promise.all(relays.map((relay) => relay.close())));

/** A way to a server, and the commands that went there: without those of the driver itself. */
const counting = async (url: string) => {
  const { hostname, port, pathname } = new URL(url);
  const commands: string[] = [];
  const relay = await startOn(
    createServer((client) => {
      const server = connect(Number(port), hostname);
      client.on('error', () => server.destroy()).on('close', () => server.destroy());
      server.on('error', () => client.destroy()).on('close', () => client.destroy());
      server.pipe(client);
      let read = Buffer.alloc(0);
      client.on('data', (bytes: Buffer) => {
        server.write(bytes);
        read = Buffer.concat([read, bytes]);
        while (read.length >= 16 && read.length >= read.readInt32LE(0)) {
          const message = read.subarray(0, read.readInt32LE(0));
          read = read.subarray(message.length);
          // OP_MSG: a head of 16 bytes, flags, the kind of the first section, its document.
          if (message.readInt32LE(12) !== 2013) continue;
          const [[name = '', value] = []] = Object.entries(BSON.deserialize(message.subarray(21)));
          if (!/^(hello|ismaster|ping|endSessions)$/i.test(name)) commands.push(`${name} ${value}`);
        }
      });
    }),
  );
  relays.push(relay);
  return { url: `mongodb://127.0.0.1:${relay.port}${pathname}`, commands };
};

describeMongo(`A request to the shared catalog in ${serverName}`, () => {
  const stores = sharedStores();

  it('costs one query for each path, and none for its credentials before the catalog changes', async () => {
    const catalog = await stores.catalog();
    const writer = await catalog.open();
    const importer = await writer.importers.add({ config: { feed: 'http://h/' } });
    const entry = { unitId: 'u', unitTypeId: 'iso', url: 'http://h/a', importerId: importer.id, data: {} };
    await writer.entries.add({ ...entry, path: '/a' });
    for (let number = 0; number < 20; number += 1) await writer.entries.add({ ...entry, path: `/${number}` });
    const { url, commands } = await counting(catalog.url);
    const store = openSharedStore(connectMongo(databaseSettings({ url }), LIMIT.maxTime), LIMIT);
    const { lookup, access } = sharedCatalog(store, LIMIT);
    const request = async (path: string) => {
      expect(await lastValueFrom(lookup(path).pipe(toArray()))).toHaveLength(1);
      return firstValueFrom(access(importer.id));
    };
    await request('/a');
    commands.length = 0;
    for (let number = 0; number < 20; number += 1) await request(`/${number}`);
    for (let number = 0; number < 20; number += 1) await request('/0');
    const looks = commands.filter((one) => one === 'find catalog').length;
    expect(commands.filter((one) => one !== 'find catalog')).toEqual(Array(20).fill('find entries'));
    // One for each second that this has taken.
    expect(looks).toBeLessThanOrEqual(10);
    await writer.importers.change(importer.id, { feed: 'http://other/' });
    await store.catchUp();
    commands.length = 0;
    expect(await request('/a')).toEqual({ home: 'http://other/' });
    expect(commands.filter((one) => one !== 'find catalog')).toEqual(['find entries', 'find importers']);
    await store.close();
  });
});

describeMongoItself('The lookups of the shared catalog', () => {
  const stores = sharedStores();

  it('use the index on paths', async () => {
    const { session } = await (await stores.catalog()).open();
    const { queryPlanner } = await session.ask(({ entries }) => entries.find({ path: '/a' }).explain());
    expect(JSON.stringify(queryPlanner.winningPlan)).toContain('IXSCAN');
    expect(JSON.stringify(queryPlanner.winningPlan)).not.toContain('COLLSCAN');
  });
});
