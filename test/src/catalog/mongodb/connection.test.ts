import { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { BSON } from 'mongodb';
import { filter, firstValueFrom, lastValueFrom, take, timer, toArray } from 'rxjs';
import { type Connection, connectMongo } from '../../../../src/catalog/mongodb/connection.ts';
import { databaseSettings } from '../../../support/database-settings.ts';
import { closedPort, startRaw } from '../../../support/feeds.ts';
import { describeMongoServer, mongodb, serverName } from '../../../support/mongodb.ts';
import { passOnTo } from '../../../support/pass-on.ts';
import { until } from '../../../support/until.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
const connect = (url: string, timeoutMs = 300): Connection => {
  const made = connectMongo(databaseSettings({ url }), timeoutMs);
  closing.push(made.close);
  return made;
};
const ask = ({ ask }: Connection) =>
  firstValueFrom(ask((database) => database.collection('units_rpm').findOne({ _id: 'x' as never }))).then(
    () => 'answered',
    ({ code }: { code: string }) => code,
  );
/** Resolves once a query is answered: the first ones may take longer than they may on a busy machine. */
const answers = (database: Connection) => until(async () => (await ask(database)) === 'answered');
const becomes = ({ ready }: Connection, wanted: boolean) => firstValueFrom(ready.pipe(filter((is) => is === wanted)));

it('with an unreachable database every query fails in time, with the address', async () => {
  const port = await closedPort();
  const database = connect(`mongodb://user:secret@127.0.0.1:${port}/`);
  await expect(firstValueFrom(database.ask(() => Promise.resolve(1)))).rejects.toMatchObject({
    code: 'CATALOG_UNAVAILABLE',
    source: 'catalog',
    message: expect.stringMatching(new RegExp(`^MongoDB at 127.0.0.1:${port}: .*ECONNREFUSED`)),
  });
  await becomes(database, false);
});

it('with a silent server every query fails in time', async () => {
  const silent = await startRaw((socket) => socket.resume());
  closing.push(silent.close);
  expect(await ask(connect(`mongodb://127.0.0.1:${silent.port}/`))).toBe('CATALOG_UNAVAILABLE');
});

/** Answers the driver's first query (OP_QUERY, with OP_REPLY) as a very old server does. */
const startOldServer = () =>
  startRaw((socket) => {
    socket.on('data', (asked: Buffer) => {
      const hello = BSON.serialize({
        ok: 1,
        ismaster: true,
        minWireVersion: 0,
        maxWireVersion: 5,
        maxBsonObjectSize: 16_777_216,
      });
      const head = Buffer.alloc(36);
      head.writeInt32LE(head.length + hello.length, 0);
      head.writeInt32LE(asked.readInt32LE(4), 8);
      head.writeInt32LE(1, 12);
      head.writeInt32LE(1, 32);
      socket.write(Buffer.concat([head, hello]));
    });
  });

it('a server that is too old is not ready, and every query fails with the required version', async () => {
  const old = await startOldServer();
  closing.push(old.close);
  const database = connect(`mongodb://127.0.0.1:${old.port}/`);
  await becomes(database, false);
  await expect(firstValueFrom(database.ask(() => Promise.resolve(1)))).rejects.toMatchObject({
    code: 'CATALOG_UNAVAILABLE',
    message: expect.stringContaining('requires at least'),
  });
});

describeMongoServer(`a connection to ${serverName}`, () => {
  const mongo = mongodb();

  it('is made anew if the driver waits for ever for its look at the server', async () => {
    const server = await mongo.server();
    const database = connect(server.url);
    await becomes(database, true);
    await answers(database);
    const port = Number(new URL(server.url).port);
    const { write } = Socket.prototype;
    // As a socket that has just ended: it takes nothing, and never will.
    const written = new Promise<void>((resolve) => {
      Socket.prototype.write = function (this: Socket, ...args: Parameters<typeof write>) {
        if (this.remotePort !== port) return write.apply(this, args);
        resolve();
        return false;
      } as typeof write;
    });
    try {
      await written;
    } finally {
      Socket.prototype.write = write;
    }
    await server.stop();
    // The first one finds its connection ended, the second one that no other can be made.
    for (let query = 0; query < 2; query += 1) expect(await ask(database)).toBe('CATALOG_UNAVAILABLE');
    await becomes(database, false);
    await server.start();
    await becomes(database, true);
    await answers(database);
  });

  it('is made when the server comes up, and again when it comes back', async () => {
    const server = await mongo.server();
    await server.stop();
    const database = connect(server.url);
    expect(await ask(database)).toBe('CATALOG_UNAVAILABLE');
    for (let round = 0; round < 2; round += 1) {
      await server.start();
      await becomes(database, true);
      await answers(database);
      await server.stop();
      await becomes(database, false);
      expect(await ask(database)).toBe('CATALOG_UNAVAILABLE');
    }
  });

  it('reports each change once', async () => {
    const server = await mongo.server();
    const database = connect(server.url);
    const told = lastValueFrom(database.ready.pipe(take(3), toArray()));
    await becomes(database, true);
    await server.stop();
    await becomes(database, false);
    await server.start();
    expect(await told).toEqual([true, false, true]);
  });

  it('fails queries in time while the server is frozen, and the next ones at once', async () => {
    const server = await mongo.server();
    const database = connect(server.url);
    await answers(database);
    server.freeze();
    expect(await ask(database)).toBe('CATALOG_UNAVAILABLE');
    // It must arrive before a timer that was set at the same time.
    const atOnce = await Promise.race([ask(database), firstValueFrom(timer(100))]);
    expect(atOnce).toBe('CATALOG_UNAVAILABLE');
    server.thaw();
    await becomes(database, true);
  });

  it('is closed in time even if the server closes at the same moment', async () => {
    const relay = await startRaw(passOnTo((await mongo.server()).url));
    closing.push(relay.close);
    const database = connect(`mongodb://127.0.0.1:${relay.port}/`);
    await answers(database);
    for (const socket of relay.connections.open) socket.destroy();
    // After these turns our sockets are closed, but no listener was called yet.
    await setImmediate();
    await setImmediate();
    await database.close();
  });

  it('gives up a query that takes too long in total', async () => {
    const database = connect((await mongo.server()).url);
    await answers(database);
    await expect(firstValueFrom(database.ask(() => new Promise(() => {})))).rejects.toMatchObject({
      code: 'CATALOG_UNAVAILABLE',
      message: expect.stringContaining('no answer within 300 ms'),
    });
  });

  it('passes on an error of the query itself', async () => {
    const database = connect((await mongo.server()).url, 20_000);
    const defect = new TypeError('a defect');
    await expect(firstValueFrom(database.ask(() => Promise.reject(defect)))).rejects.toBe(defect);
  });
});
