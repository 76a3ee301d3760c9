import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { firstValueFrom, lastValueFrom, ReplaySubject } from 'rxjs';
import { brokerAddresses } from '../../../../../src/saves/celery/amqp/address.ts';
import { type Broker, type BrokerOptions, openBroker } from '../../../../../src/saves/celery/amqp/broker.ts';
import { celeryMessage, destinationOf } from '../../../../../src/saves/celery/message.ts';
import type { TestFeed } from '../../../../support/feeds.ts';
import {
  frame,
  long,
  longlong,
  longText,
  method,
  type Says,
  short,
  shortText,
  start,
  startHostileBroker,
  table,
  tune,
} from '../../../../support/hostile-broker.ts';
import { until } from '../../../../support/until.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A broker, and our connection to it. */
const open = async (says: Says, options: Partial<BrokerOptions> = {}) => {
  const hostile: TestFeed = await startHostileBroker(says);
  const errors = new ReplaySubject<string>();
  const broker = openBroker({
    addresses: brokerAddresses(`amqp://127.0.0.1:${hostile.port}`),
    login: 'PLAIN',
    declare: 'durable',
    waitAfter: () => 3_600_000,
    onError: (error) => errors.next(String(error)),
    onNotice: () => {},
    ...options,
  });
  closing.push(hostile.close, broker.close);
  return { broker, errors, hostile };
};
const message = celeryMessage({ id: 'the-task', name: 'save', args: [], kwargs: {} }, { protocol: 2, origin: 'o' });
const publish = (broker: Broker) =>
  lastValueFrom(broker.publish(destinationOf(2, 'q'), message), { defaultValue: 'confirmed' });

/** A table within a table, and so on. */
const deep = (levels: number): Buffer => {
  let inner: Buffer = table();
  for (let level = 0; level < levels; level += 1) inner = table(shortText('a'), Buffer.from('F'), inner);
  return inner;
};
const returned = (channel: number, id: string) =>
  Buffer.concat([
    method(channel, 60, 50, short(312), shortText('NO_ROUTE'), shortText(''), shortText('q')),
    frame(2, channel, short(60), short(0), longlong(0n), short(0x0400), shortText(id)),
  ]);

describe('a hostile broker', () => {
  it.each<[string, string, Buffer]>([
    ['is another server', 'header', Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')],
    ['announces a frame without end', 'header', Buffer.concat([Buffer.of(1, 0, 0), long(0xffff_ffff)])],
    ['ends a frame wrongly', 'header', Buffer.concat([start().subarray(0, -1), Buffer.of(0)])],
    ['begins with an empty method', 'header', frame(1, 0)],
    ['begins with half a method', 'header', frame(1, 0, short(10), short(10), Buffer.of(0))],
    ['begins with a method that there is not', 'header', method(0, 999, 999)],
    ['begins on another channel', 'header', method(7, 10, 10, Buffer.of(0, 9), table(), longText(''), longText(''))],
    ['nests its properties', 'header', start(deep(20_000))],
    ['has a table longer than its frame', 'header', method(0, 10, 10, Buffer.of(0, 9), long(0x7fff_ffff))],
    ['offers nothing to log in by', 'header', start(table(), '')],
    ['asks for more secrets', '10.11', method(0, 10, 20, longText('password?'))],
    ['has no room in a frame', '10.11', tune(1)],
    ['opens twice with something else', '10.40', method(0, 10, 30, short(0), long(0), short(0))],
    ['closes with words of its own', '10.40', method(0, 10, 50, short(320), shortText('\x1b[2J\r\n'), long(0))],
    ['speaks on a channel that is not open', '85.10', method(77, 60, 80, longlong(1n), Buffer.of(0))],
    ['sends a header without a message', '85.10', frame(2, 1, short(60), short(0), longlong(1n), short(0))],
    ['sends a body without a message', '85.10', frame(3, 1, Buffer.from('x'))],
    ['sends a frame of no kind', '85.10', frame(200, 1, Buffer.from('x'))],
    [
      'delivers what nobody asked for',
      '85.10',
      Buffer.concat([
        method(1, 60, 60, shortText('nobody'), longlong(1n), Buffer.of(0), shortText(''), shortText('q')),
        frame(2, 1, short(60), short(0), longlong(1n), short(0)),
        frame(3, 1, Buffer.from('x')),
      ]),
    ],
    ...(
      [
        ['confirms a message', 80, 99n],
        ['refuses a message', 120, 2n],
        ['confirms a message beyond all numbers', 80, 0xffff_ffff_ffff_ffffn],
      ] as const
    ).map(([what, answer, tag]): [string, string, Buffer] => [
      `${what} that was never sent`,
      '50.10',
      method(1, 60, answer, longlong(tag), Buffer.of(0)),
    ]),
    ['confirms with half a method', '60.40', method(1, 60, 80, short(0))],
    ['returns with half a header', '60.40', Buffer.concat([method(1, 60, 50), frame(2, 1, short(60))])],
  ])('that %s costs the connection, and nothing else', async (_, at, bytes) => {
    const { broker, errors, hostile } = await open((asked) => (asked === at ? bytes : undefined));
    const published = publish(broker).catch(String);
    expect(await firstValueFrom(errors)).toMatch(/^Error: broker 127\.0\.0\.1:\d+: ./);
    expect(await published).not.toBe('confirmed');
    await until(() => hostile.connections.open.size === 0);
  });

  it.each<[string, (channel: number) => Buffer]>([
    ['returns messages before they are sent', (channel) => returned(channel, 'the-task')],
    ['returns messages without an id', (channel) => returned(channel, '')],
  ])('that %s is not listened to', async (_, nonsense) => {
    const { broker } = await open((asked, channel) => {
      if (asked === '85.10') return Buffer.concat([method(channel, 85, 11), nonsense(channel)]);
      // The last of a message's three frames.
      return asked === 'frame 3' ? method(channel, 60, 80, longlong(1n), Buffer.of(0)) : undefined;
    });
    expect(await publish(broker)).toBe('confirmed');
  });

  /** An answer that the broker leaves out. */
  const NOTHING = Buffer.alloc(0);
  const patience = { answerWithin: 100 };

  it.each([
    ['does not greet', 'header'],
    ['opens nothing', '10.40'],
    ['opens no channel', '20.10'],
    ['makes no channel one that confirms', '85.10'],
    ['declares no queue', '50.10'],
    ['confirms no message', '60.40'],
  ])('that lives but %s is left', async (_, at) => {
    const { broker, errors, hostile } = await open((asked) => (asked === at ? NOTHING : undefined), patience);
    const published = publish(broker).catch(String);
    expect(await firstValueFrom(errors)).toMatch(/: no answer within 100 ms, although the connection is open$/);
    expect(await published).not.toBe('confirmed');
    await until(() => hostile.connections.open.size === 0);
  });

  it('that blocks messages is waited for until it accepts them', async () => {
    const notices = new ReplaySubject<string>();
    let toUs: Socket | undefined;
    const one = await open(
      (asked, _, socket) => {
        toUs = socket;
        return asked === 'frame 3' ? method(0, 10, 60, shortText('low on memory')) : undefined;
      },
      { ...patience, onNotice: (notice) => notices.next(notice) },
    );
    const published = publish(one.broker).catch(String);
    expect(await firstValueFrom(notices)).toMatch(/ blocks messages: low on memory$/);
    // Later than this one, another broker is asked, and left.
    const other = await open((asked) => (asked === '20.10' ? NOTHING : undefined), patience);
    await firstValueFrom(other.errors);
    expect(one.hostile.connections.open.size).toBe(1);
    toUs?.write(method(0, 10, 61));
    expect(await firstValueFrom(one.errors)).toMatch(/: no answer within 100 ms/);
    expect(await published).not.toBe('confirmed');
  });
});
