import { afterEach, expect, it } from '@jest/globals';
import { filter, firstValueFrom } from 'rxjs';
import { type Connection, connectMongo } from '../../../../src/catalog/mongodb/connection.ts';
import { mongoRefreshStore } from '../../../../src/catalog/mongodb/refreshes.ts';
import { databaseSettings } from '../../../support/database-settings.ts';
import { describeMongo, mongodb, serverName } from '../../../support/mongodb.ts';
import { type Member, startReplicaSet } from '../../../support/replica-set.ts';

const WITHIN = 2_000;

describeMongo(`a replica set (of relays to ${serverName})`, () => {
  const mongo = mongodb();
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  const open = async (): Promise<{ connection: Connection; members: readonly [Member, Member] }> => {
    const server = await mongo.server();
    const { name } = await mongo.database(server);
    const [one, two] = (await startReplicaSet(server)) as [Member, Member];
    closing.push(two.stop, one.stop);
    const connection = connectMongo(databaseSettings({ name, seeds: [one.host, two.host], replicaSet: 'rs0' }), WITHIN);
    closing.push(connection.close);
    await firstValueFrom(connection.ready.pipe(filter((ready) => ready)));
    return { connection, members: [one, two] };
  };
  const coded = (asked: Promise<unknown>): Promise<string> =>
    asked.then(
      () => 'answered',
      ({ code }: { code: string }) => code,
    );
  const read = ({ ask }: Connection) =>
    coded(firstValueFrom(ask((database) => database.collection('units_rpm').findOne({ _id: 'x' as never }))));

  it('is read from a secondary while it has no primary, even if writes fail, and accepts writes once it has one', async () => {
    const { connection, members } = await open();
    const [one, two] = members;
    const write = () => coded(mongoRefreshStore(connection, WITHIN).acquire('zoo', 'me', 0, 1));
    expect([await read(connection), await write()]).toEqual(['answered', 'answered']);

    await one.stop();
    let writing: string | undefined;
    const written = write().then((outcome) => {
      writing = outcome;
    });
    const answers = new Set<string>();
    while (writing === undefined) answers.add(await read(connection));
    await written;
    expect(writing).toBe('CATALOG_UNAVAILABLE');
    // Right afterwards: a write without a primary does not stop reads.
    answers.add(await read(connection));
    expect([...answers]).toEqual(['answered']);

    two.become('primary');
    while ((await write()) !== 'answered');
    expect(await read(connection)).toBe('answered');
  });

  it('is followed to its new primary after the old one steps down', async () => {
    const { connection, members } = await open();
    const [one, two] = members;
    const store = mongoRefreshStore(connection, WITHIN);
    await store.acquire('zoo', 'me', 0, 1);
    one.become('secondary');
    two.become('primary');
    while ((await coded(store.acquire('zoo', 'me', 0, 1))) !== 'answered');
    expect(await read(connection)).toBe('answered');
  });
});
