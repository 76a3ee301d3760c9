import { writeFileSync } from 'node:fs';
import { connect as connectTo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { firstValueFrom, lastValueFrom, ReplaySubject, skip } from 'rxjs';
import { openSaveTarget } from '../../../../../src/app/save-target.ts';
import { loadSettings } from '../../../../../src/config/load.ts';
import { createConditions } from '../../../../../src/observe/conditions.ts';
import { brokerAddresses } from '../../../../../src/saves/celery/amqp/address.ts';
import { type Broker, type BrokerOptions, openBroker } from '../../../../../src/saves/celery/amqp/broker.ts';
import {
  type CeleryProtocol,
  celeryMessage,
  destinationOf,
  type Message,
} from '../../../../../src/saves/celery/message.ts';
import { channels, received } from '../../../../support/amqp.ts';
import { createCertificates } from '../../../../support/certificates.ts';
import { closedPort, startRaw } from '../../../../support/feeds.ts';
import { anEntry } from '../../../../support/pipeline.ts';
import { hasOwnBroker, itWithBroker, itWithOwnBroker, rabbitMq } from '../../../../support/rabbitmq.ts';
import { temporaryFolders } from '../../../../support/temporary.ts';
import { until } from '../../../../support/until.ts';

const folder = temporaryFolders();
const channelTo = channels();
const certificates = createCertificates();

/** A TLS listener that requires a certificate of the test's authority. */
const tlsConfig = async (port: number, home: string): Promise<string> => {
  const { authority, server } = await certificates;
  const pems = { cacertfile: authority.cert, certfile: server.cert, keyfile: server.key };
  const lines = Object.entries(pems).map(([name, pem]) => {
    writeFileSync(join(home, `${name}.pem`), pem);
    return `ssl_options.${name} = ${join(home, `${name}.pem`)}\n`;
  });
  writeFileSync(join(home, 'definitions.json'), JSON.stringify(definitions('first client')));
  return `${lines.join('')}listeners.ssl.1 = 127.0.0.1:${port}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = AMQPLAIN
auth_mechanisms.3 = EXTERNAL
ssl_cert_login_from = common_name
load_definitions = ${join(home, 'definitions.json')}
`;
};

const VHOST = '/pulp 2';
const GUEST = 'guest';
const all = { configure: '.*', write: '.*', read: '.*' };
const definitions = (certified: string) => ({
  vhosts: [{ name: '/' }, { name: VHOST }],
  users: [
    { name: GUEST, password: GUEST, tags: 'administrator' },
    { name: certified, password: 'unused', tags: '' },
  ],
  permissions: [
    { user: GUEST, vhost: '/', ...all },
    { user: GUEST, vhost: VHOST, ...all },
    { user: certified, vhost: '/', ...all },
  ],
});
const broker = rabbitMq({ config: tlsConfig, plugins: ['rabbitmq_auth_mechanism_ssl'] });

const opened: Broker[] = [];
afterEach(() => {
  // A failed test may leave the broker frozen; the next tests need it.
  if (hasOwnBroker) broker().thaw();
  for (const one of opened.splice(0)) one.close();
});

/** A connection that is closed after the test, with its errors and notices. */
const open = (url: string, options: Partial<BrokerOptions> = {}) => {
  const errors = new ReplaySubject<string>();
  const notices = new ReplaySubject<string>();
  const made = openBroker({
    addresses: brokerAddresses(url),
    login: 'PLAIN',
    declare: 'durable',
    waitAfter: () => 50,
    onError: (error) => errors.next(String(error)),
    onNotice: (notice) => notices.next(notice),
    ...options,
  });
  opened.push(made);
  return { ...made, errors, notices };
};

let ids = 0;
const aMessage = (protocol: CeleryProtocol = 2): Message =>
  celeryMessage(
    { id: `task-${ids++}`, name: 'save', args: [{ a: [1, null, 'é'] }], kwargs: {} },
    { protocol, origin: 'o' },
  );

/** Resolves once the broker has confirmed; rejects otherwise. */
const publish = (one: Pick<Broker, 'publish'>, queue: string, message = aMessage(), protocol: CeleryProtocol = 2) =>
  lastValueFrom(one.publish(destinationOf(protocol, queue), message), { defaultValue: undefined });

const aQueue = () => `queue-${ids++}`;

describe('a message', () => {
  for (const protocol of [1, 2] as const) {
    itWithBroker(`is in its queue when publishing completes, protocol ${protocol}`, async () => {
      const queue = aQueue();
      const message = aMessage(protocol);
      await publish(open(broker().url), queue, message, protocol);
      const channel = await channelTo(broker().url);
      const found = await channel.get(queue, { noAck: true });
      expect(found && received(found)).toEqual(message);
      expect(found && { ...found.fields }).toMatchObject({ exchange: protocol === 1 ? queue : '', routingKey: queue });
    });
  }

  for (const protocol of [1, 2] as const) {
    itWithBroker(`has hostile names as they are when it comes out of its queue, protocol ${protocol}`, async () => {
      const queue = aQueue();
      // As many bytes in its headers as they can have, and a body of several frames.
      const names = ['😀'.repeat(1024), "it's\0\n\x1b[2J\u202e", '{entry}$where../', 'é'.repeat(200_000)];
      const task = { id: `task-${ids++}`, name: 'save', args: names, kwargs: { 'a\n': names } };
      const message = celeryMessage(task, { protocol, origin: 'o' });
      await publish(open(broker().url), queue, message, protocol);
      const found = await (await channelTo(broker().url)).get(queue, { noAck: true });
      expect(found && received(found)).toEqual(message);
      await publish(open(broker().url), queue, aMessage(protocol), protocol);
    });
  }

  itWithOwnBroker('makes a queue that outlives the broker', async () => {
    const queue = aQueue();
    await publish(open(broker().url), queue);
    expect(await broker().ctl('list_queues', 'name', 'durable', 'auto_delete', 'messages')).toContain(
      `${queue}\ttrue\tfalse\t1`,
    );
  });

  itWithBroker('errors if its required queue is missing, and affects no other message', async () => {
    const channel = await channelTo(broker().url);
    const [there, missing] = [aQueue(), aQueue()];
    await channel.assertQueue(there);
    const one = open(broker().url, { declare: 'passive' });
    const results = await Promise.allSettled([publish(one, missing), publish(one, there)]);
    expect(results).toMatchObject([
      {
        status: 'rejected',
        reason: { message: expect.stringMatching(/^queue \S+ cannot be declared \(passive\): .*NOT[-_]FOUND/) },
      },
      { status: 'fulfilled' },
    ]);
    await channel.assertQueue(missing);
    await publish(one, missing);
    expect(await channel.checkQueue(missing)).toMatchObject({ messageCount: 1 });
  });

  itWithBroker('errors if its queue was declared differently', async () => {
    const queue = aQueue();
    await (await channelTo(broker().url)).assertQueue(queue, { durable: false, autoDelete: true });
    await expect(publish(open(broker().url), queue)).rejects.toThrow(/cannot be declared \(durable\): .*PRECONDITION/);
    await publish(open(broker().url, { declare: 'passive' }), queue);
  });

  itWithBroker('errors if its queue was deleted, and the next one creates it again', async () => {
    const queue = aQueue();
    const one = open(broker().url);
    await publish(one, queue);
    const channel = await channelTo(broker().url);
    await channel.deleteQueue(queue);
    await expect(publish(one, queue)).rejects.toThrow(`queue ${queue}: the broker returned the message`);
    await publish(one, queue);
    expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 1 });
  });

  itWithBroker('errors if its exchange was deleted, and the next one is delivered', async () => {
    const queue = aQueue();
    const one = open(broker().url);
    await publish(one, queue, aMessage(1), 1);
    const channel = await channelTo(broker().url);
    await channel.deleteExchange(queue);
    await expect(publish(one, queue, aMessage(1), 1)).rejects.toThrow();
    await publish(one, queue, aMessage(1), 1);
    expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 2 });
  });

  itWithBroker('errors if its queue is full', async () => {
    const queue = aQueue();
    const channel = await channelTo(broker().url);
    await channel.assertQueue(queue, { maxLength: 1, arguments: { 'x-overflow': 'reject-publish' } });
    const one = open(broker().url, { declare: 'passive' });
    await publish(one, queue);
    await expect(publish(one, queue)).rejects.toThrow(`queue ${queue}: the broker rejected the message`);
    await channel.purgeQueue(queue);
    await publish(one, queue);
  });

  itWithOwnBroker('waits while the broker blocks messages for lack of memory', async () => {
    const queue = aQueue();
    const one = open(broker().url);
    await publish(one, queue);
    await broker().ctl('set_vm_memory_high_watermark', '0.000001');
    const waiting = publish(one, queue);
    expect(await firstValueFrom(one.notices)).toMatch(/^broker 127.0.0.1:\d+ blocks messages: /);
    await broker().ctl('set_vm_memory_high_watermark', '0.4');
    await waiting;
    expect(await firstValueFrom(one.notices.pipe(skip(1)))).toMatch(/accepts messages again$/);
  });
});

describe('a connection', () => {
  itWithOwnBroker('is reopened whenever it is lost; unconfirmed messages error', async () => {
    const queue = aQueue();
    const one = open(broker().url);
    await publish(one, queue);
    await broker().ctl('close_all_connections', 'test');
    expect(await firstValueFrom(one.errors)).toMatch(/broker 127.0.0.1:\d+: .*CONNECTION_FORCED/);
    await publish(one, queue);

    await broker().stop();
    await expect(publish(one, queue)).rejects.toThrow('ECONNREFUSED');
    const again = firstValueFrom(one.connected);
    await broker().start();
    await again;
    await publish(one, queue);
    expect(await (await channelTo(broker().url)).checkQueue(queue)).toMatchObject({ messageCount: 3 });
  });

  itWithOwnBroker('is lost when the broker falls silent, and reopened when it answers again', async () => {
    const queue = aQueue();
    const one = open(broker().url, { heartbeat: 1 });
    await publish(one, queue);
    broker().freeze();
    // What it receives before the signal stops it is still confirmed.
    const untilSilent = async () => {
      for (;;) await publish(one, queue);
    };
    await expect(untilSilent()).rejects.toThrow('channel closed');
    expect(await firstValueFrom(one.errors)).toMatch(/^Error: broker 127.0.0.1:\d+: .*heartbeat/i);
    broker().thaw();
    await firstValueFrom(one.connected);
    await publish(one, queue);
  });

  itWithBroker('waits longer after each failure, and starts over after a success', async () => {
    const told: number[] = [];
    const waits: number[] = [];
    const port = await closedPort();
    const { connected } = open(`amqp://127.0.0.1:${port};amqp://127.0.0.1:${port};${broker().url}`, {
      waitAfter: (failures) => {
        waits.push(failures);
        return failures;
      },
      onError: (_, delay) => told.push(delay),
    });
    await firstValueFrom(connected);
    expect(waits).toEqual([0, 1]);
    expect(told).toEqual(waits);
  });

  it('errors pending messages when it fails, and when it is closed', async () => {
    const one = open(`amqp://127.0.0.1:${await closedPort()}`, { waitAfter: () => 3_600_000 });
    await expect(publish(one, 'q')).rejects.toThrow(/^broker 127.0.0.1:\d+: .*ECONNREFUSED/);
    const waiting = publish(one, 'q');
    one.close();
    await expect(waiting).rejects.toThrow('the broker connection is closed');
    await expect(publish(one, 'q')).rejects.toThrow('the broker connection is closed');
  });

  it('is abandoned if closed before it is open', async () => {
    const silent = await startRaw((socket) => socket.resume());
    const one = open(`amqp://127.0.0.1:${silent.port}`);
    await until(() => silent.connections.open.size === 1);
    one.close();
    await until(() => silent.connections.open.size === 0);
    await silent.close();
  });

  itWithBroker('closes in order', async () => {
    const { hostname, port } = new URL(broker().url);
    const frames: Buffer[] = [];
    // A relay that sees the connection end.
    const between = await startRaw((socket) => {
      const onward = connectTo(Number(port), hostname).on('error', () => {});
      socket.pipe(onward).pipe(socket);
      socket.on('data', (bytes) => frames.push(bytes));
    });
    const one = open(`amqp://127.0.0.1:${between.port}`);
    await firstValueFrom(one.connected);
    one.close();
    await until(() => between.connections.open.size === 0);
    expect(Buffer.concat(frames).toString('latin1')).toContain('Cheers, thanks');
    await expect(lastValueFrom(one.connected, { defaultValue: 'over' })).resolves.toBe('over');
    await between.close();
  });

  itWithOwnBroker('is refused for a wrong password, which is not shown', async () => {
    const url = new URL(broker().url);
    url.password = 'wrong-secret';
    const one = open(url.href);
    const told = await firstValueFrom(one.errors);
    expect(told).toMatch(/ACCESS[-_]REFUSED|403/);
    expect(told).not.toContain('wrong-secret');
  });

  itWithOwnBroker('is to a vhost, with its own queues', async () => {
    const queue = aQueue();
    const url = broker().url + encodeURIComponent(VHOST);
    await publish(open(url), queue);
    expect(await (await channelTo(url)).checkQueue(queue)).toMatchObject({ messageCount: 1 });
    await expect((await channelTo(broker().url)).checkQueue(queue)).rejects.toThrow('NOT_FOUND');
    expect(await firstValueFrom(open(`${broker().url}nowhere`).errors)).toContain('vhost nowhere');
  });
});

describe('a connection within TLS', () => {
  /** PEM files of an identity and the authority that it trusts. */
  const files = (pems: { ca?: string; cert?: string; key?: string }) => {
    const home = folder();
    const write = (name: string, pem: string | undefined) => {
      if (pem !== undefined) writeFileSync(join(home, name), pem);
      return pem === undefined ? undefined : join(home, name);
    };
    return { caFile: write('ca', pems.ca), certFile: write('cert', pems.cert), keyFile: write('key', pems.key) };
  };
  const url = () => `amqps://127.0.0.1:${broker().tlsPort}`;

  itWithOwnBroker('presents a client certificate, and trusts the given authority alone', async () => {
    const { authority, stranger, client, strangersClient } = await certificates;
    await publish(open(url(), { tls: files({ ca: authority.cert, ...client }) }), aQueue());
    await publish(open(url(), { tls: files({ ca: authority.cert, ...client }), login: 'AMQPLAIN' }), aQueue());
    const refused = { ca: authority.cert, ...strangersClient };
    for (const pems of [{ ca: stranger.cert, ...client }, { ca: authority.cert }, refused, { ...client }]) {
      expect(await firstValueFrom(open(url(), { tls: files(pems) }).errors)).toMatch(
        /certificate|alert|TLS|SSL|closed/i,
      );
    }
  });

  itWithOwnBroker('logs in by the client certificate', async () => {
    const { authority, client, otherClient } = await certificates;
    const external = (identity: typeof client) =>
      open(url(), { tls: files({ ca: authority.cert, ...identity }), login: 'EXTERNAL' });
    await publish(external(client), aQueue());
    expect(await firstValueFrom(external(otherClient).errors)).toMatch(/ACCESS[-_]REFUSED|403/);
  });

  itWithOwnBroker('reads its files for each connection', async () => {
    const { authority, client, strangersClient } = await certificates;
    const tls = files({ ca: authority.cert, ...strangersClient });
    const one = open(url(), { tls });
    await firstValueFrom(one.errors);
    writeFileSync(String(tls.keyFile), client.key);
    writeFileSync(String(tls.certFile), client.cert);
    await firstValueFrom(one.connected);
  });

  itWithOwnBroker('is configured by [tasks] of Pulp’s server.conf', async () => {
    const { authority, client } = await certificates;
    const { caFile, certFile, keyFile } = files({ ca: authority.cert, ...client });
    const file = join(folder(), 'server.conf');
    // In Python's SafeConfigParser a percent sign is written twice.
    const vhost = encodeURIComponent(VHOST).replaceAll('%', '%%');
    writeFileSync(
      file,
      `[tasks]
broker_url: amqp://${GUEST}:${GUEST}@127.0.0.1:${broker().tlsPort}/${vhost}
celery_require_ssl: true
cacert: ${caFile}
certfile: ${certFile}
keyfile: ${keyFile}
login_method: AMQPLAIN
[streamer]
dispatch: celery
`,
    );
    const { settings } = loadSettings({ files: [file], flags: {} });
    const logger = pino({ level: 'silent' });
    const { dispatch, close } = openSaveTarget(settings, { logger, conditions: createConditions(logger) });
    await lastValueFrom(dispatch({ id: 1, requestId: 'r', failures: 0, entry: anEntry() }), { defaultValue: 0 });
    await close();
    const channel = await channelTo(broker().url + encodeURIComponent(VHOST));
    const found = await channel.get('resource_manager', { noAck: true });
    expect(found && received(found).headers).toMatchObject({ task: settings.reservationTask, 'x-request-id': 'r' });
  });
});
