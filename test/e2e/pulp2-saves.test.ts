import { afterEach, beforeAll, expect, it } from '@jest/globals';
import { type Document, MongoClient } from 'mongodb';
import { channels, received } from '../support/amqp.ts';
import { receive } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { describeMongoServer, type MongoServer, mongodb, serverName } from '../support/mongodb.ts';
import { processes } from '../support/processes.ts';
import { itWithBroker, rabbitMq } from '../support/rabbitmq.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { temporaryFolders } from '../support/temporary.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

// More than content verified before its head.
const CONTENT = someBytes(3 << 20);
const PATH = '/var/lib/pulp/content/units/rpm/76/78177c/bear.rpm';

describeMongoServer(`saves through Pulp’s database (${serverName})`, () => {
  const mongo = mongodb();
  const broker = rabbitMq();
  const channelTo = channels();
  let server: MongoServer;
  beforeAll(async () => {
    server = await mongo.server();
  });
  const clients: MongoClient[] = [];
  afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));

  /** A daemon over Pulp's database with one unit, and a feed that sends its end on command. */
  const open = async (settings: Readonly<Record<string, string>>) => {
    const { name, pulp } = await mongo.database(server);
    const end = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const feed = await startFeed((_, response) => {
      response.writeHead(200, { 'Content-Length': CONTENT.length });
      response.write(CONTENT.subarray(0, -1000), () => begun.resolve());
      void end.promise.then(() => response.end(CONTENT.subarray(-1000)));
    });
    const importer_id = await pulp.importer({});
    const checksum = { checksum: digestOf(CONTENT), algorithm: 'sha256' };
    const unit = { unit_id: 'the-unit', unit_type_id: 'rpm', url: `${feed.url}/bear.rpm` };
    await pulp.unitOf('rpm', 'the-unit');
    await pulp.entry({ path: PATH, importer_id, ...unit, ...checksum });
    const site = makeSite(start, folder(), { mongodb_url: server.url + name, mongodb_timeout: '1s', ...settings });
    const daemon = await site.serve();
    await daemon.logged('MongoDB available');
    const documents = async (collection: string): Promise<Document[]> => {
      const client = new MongoClient(server.url);
      clients.push(client);
      return client
        .db(name)
        .collection(collection)
        .find({}, { projection: { _id: 0 } })
        .toArray();
    };
    return { daemon, begun: begun.promise, end: end.resolve, documents, transfer: receive(daemon.url + PATH) };
  };

  it('are records that its own task downloads, with `deferred`', async () => {
    const { daemon, end, transfer, documents } = await open({ dispatch: 'deferred' });
    end();
    expect(await transfer).toMatchObject({ sha256: digestOf(CONTENT) });
    await daemon.logged('save queued', { unit: 'the-unit' });
    const record = { _ns: 'deferred_download', unit_id: 'the-unit', unit_type_id: 'rpm' };
    expect(await documents('deferred_download')).toEqual([record]);
    expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
  });

  it('are delivered once a database that was lost during a transfer is back', async () => {
    const { daemon, begun, end, transfer, documents } = await open({ dispatch: 'deferred' });
    await begun;
    await server.stop();
    end();
    expect(await transfer).toMatchObject({ sha256: digestOf(CONTENT) });
    expect(await daemon.logged('save failed, retrying')).toMatchObject([{ unit: 'the-unit' }]);
    await server.start();
    await daemon.logged('save queued', { unit: 'the-unit' });
    expect(await documents('deferred_download')).toHaveLength(1);
  });

  itWithBroker('are tasks in its list, with `celery`', async () => {
    const { daemon, end, transfer, documents } = await open({ dispatch: 'celery', broker_url: broker().url });
    end();
    await transfer;
    await daemon.logged('save queued', { unit: 'the-unit' });
    const channel = await channelTo(broker().url);
    const message = await channel.get('resource_manager', { noAck: true });
    const [[name, id]] = JSON.parse(message ? received(message).body : '[[]]');
    const tags = ['pulp:content_unit:the-unit', 'pulp:action:download'];
    expect(await documents('task_status')).toMatchObject([{ task_id: id, task_type: name, state: 'waiting', tags }]);
  });
});
