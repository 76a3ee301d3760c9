import { expect, it } from '@jest/globals';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import { connectMongo } from '../../../src/catalog/mongodb/connection.ts';
import { brokerAddresses } from '../../../src/saves/celery/amqp/address.ts';
import { openBroker } from '../../../src/saves/celery/amqp/broker.ts';
import { createFeed } from '../../../src/sources/feed/open.ts';
import { anAsk, at } from '../../support/collect.ts';
import { databaseSettings } from '../../support/database-settings.ts';
import { feedSettings } from '../../support/feed-settings.ts';
import { freePorts } from '../../support/ports.ts';
import { resolveTwoAddresses, TWO_ADDRESSES } from '../../support/two-addresses.ts';

// If every address of a name fails, Node throws an AggregateError whose message is empty.
resolveTwoAddresses();

const closedPort = async (): Promise<number> => (await freePorts(1))[0] ?? 0;
const messageFrom = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'it did not fail',
    ({ message }) => message,
  );

it('a broker of two addresses that is down is reported with the reason of each', async () => {
  const port = await closedPort();
  const message = await new Promise<string>((resolve) => {
    const broker = openBroker({
      addresses: brokerAddresses(`amqp://${TWO_ADDRESSES}:${port}`),
      login: 'PLAIN',
      declare: 'durable',
      waitAfter: () => 3_600_000,
      onNotice: () => {},
      onError: (error) => {
        resolve((error as Error).message);
        setImmediate(broker.close);
      },
    });
  });
  expect(message).toBe(
    `broker ${TWO_ADDRESSES}:${port}: connect ECONNREFUSED 127.0.0.1:${port}; connect ECONNREFUSED 127.0.0.2:${port}`,
  );
});

it('a MongoDB of two addresses that is down is reported with the reason of each', async () => {
  const port = await closedPort();
  const database = connectMongo(databaseSettings({ url: `mongodb://${TWO_ADDRESSES}:${port}/` }), 300);
  const message = await messageFrom(firstValueFrom(database.ask(() => Promise.resolve(1))));
  await database.close();
  expect(message).toBe(
    `MongoDB at ${TWO_ADDRESSES}:${port}: connect ECONNREFUSED 127.0.0.1:${port}, connect ECONNREFUSED 127.0.0.2:${port}`,
  );
});

it('a feed of two addresses that is down is reported with the reason of each', async () => {
  const port = await closedPort();
  const url = `http://${TWO_ADDRESSES}:${port}/bear.rpm`;
  const feed = createFeed(feedSettings());
  const message = await messageFrom(lastValueFrom(feed.open(at(url), anAsk())(OPEN)));
  await feed.close();
  expect(message).toBe(
    `${url}: connect ECONNREFUSED 127.0.0.1:${port}; connect ECONNREFUSED 127.0.0.2:${port} (ECONNREFUSED)`,
  );
});
