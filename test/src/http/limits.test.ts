import { describe, expect, it } from '@jest/globals';
import { concat, defer, of, Subject } from 'rxjs';
import type { StreamEvent, StreamRequest } from '../../../pipelines/index.ts';
import type { Asking } from '../../../src/http/client-address.ts';
import { createTransferSlots } from '../../../src/http/limits.ts';
import { chunk } from '../../support/pipeline.ts';
import { dial, type RawClient, responsesIn } from '../../support/raw-http.ts';
import { headWith, stubServers } from '../../support/stub-server.ts';
import { until } from '../../support/until.ts';

const start = stubServers();

const get = (path: string, ...fields: readonly string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: a', ...fields, '', ''].join('\r\n');

/** Paths below `/slow` answer when the test lets them; all others answer at once. */
const valley = () => {
  const rest = new Subject<StreamEvent>();
  const answer = ({ path }: StreamRequest) =>
    path.startsWith('/slow')
      ? concat(
          of(headWith(3), chunk('a')),
          defer(() => rest),
        )
      : of<StreamEvent[]>(headWith(3), chunk('abc'));
  const finish = () => {
    rest.next(chunk('bc'));
    rest.complete();
  };
  return { answer, finish };
};

const responses = (client: RawClient) => responsesIn(client.received(), [], true);
const got = (client: RawClient, text: string) => client.until((received) => received.includes(text));

/** A client during its transfer. */
const transferring = async (port: number, path = '/slow'): Promise<RawClient> => {
  const client = dial(port);
  await client.send(get(path));
  await got(client, '\r\n\r\na');
  return client;
};

const whole = { status: 200, body: 'abc' };
const OVERLOADED = {
  status: 503,
  body: expect.stringContaining('too many clients (max_transfers, max_client_connections)'),
};

describe('a limit', () => {
  it('of transfers answers 503 with Retry-After; it never affects running ones, and admits others after them', async () => {
    const { answer, finish } = valley();
    const { port, asked, log } = await start(answer, { transfers: 2 });
    const running = [await transferring(port), await transferring(port)];
    const refused = dial(port);
    await refused.send(get('/third'));
    await got(refused, '\n\r\n503');
    const [refusal] = responses(refused);
    expect(refusal).toMatchObject(OVERLOADED);
    expect(refusal?.headers.get('retry-after')).toBe('5');
    expect(refusal?.headers.get('cache-control')).toBe('no-store');
    expect(asked).toEqual(['/slow', '/slow']);
    expect(log).toMatchObject([{ status: 503, target: '/third', error: { code: 'OVERLOADED' } }]);

    finish();
    await Promise.all(running.map((client) => got(client, 'abc')));
    for (const client of running) expect(responses(client)).toMatchObject([whole]);
    await until(() => log.length === 3);
    await refused.send(get('/third', 'Connection: close'));
    await refused.ended;
    expect(responses(refused)).toMatchObject([OVERLOADED, whole]);
    for (const { socket } of running) socket.destroy();
  });

  it('of transfers counts pipelined requests when their turn has come', async () => {
    const { answer } = valley();
    const { port } = await start(answer, { transfers: 1 });
    const client = dial(port);
    await client.send(get('/a') + get('/b') + get('/c', 'Connection: close'));
    await client.ended;
    expect(responses(client)).toMatchObject([whole, whole, whole]);
  });

  it('of transfers makes those started ahead give way, the oldest first; at the client’s limit only its own', () => {
    const slots = createTransferSlots({ transfers: 4, transfersPerClient: 2 });
    const gone: string[] = [];
    const ahead = (client: string, name: string) => {
      const place = slots.enter(client, () => {
        gone.push(name);
        place.leave();
      });
      return place;
    };
    ahead('a', 'a1').leave();
    ahead('a', 'a2');
    ahead('a', 'a3');
    expect(() => ahead('a', 'a4')).toThrow('too many transfers of a (max_transfers_per_client = 2)');
    ahead('b', 'b1').stay();
    ahead('b', 'b2');
    expect(() => ahead('c', 'c1')).toThrow('too many transfers (max_transfers = 4)');
    expect(gone).toEqual([]);
    slots.enter('b');
    expect(gone).toEqual(['b2']);
    slots.enter('c');
    expect(gone).toEqual(['b2', 'a2']);
    slots.enter('d');
    expect(gone).toEqual(['b2', 'a2', 'a3']);
    expect(() => slots.enter('e')).toThrow('too many transfers (max_transfers = 4)');
    expect(() => slots.enter('b')).toThrow('too many transfers of b (max_transfers_per_client = 2)');
  });

  it('of transfers per client answers 429, and applies to each client separately', async () => {
    const slots = createTransferSlots({ transfers: 0, transfersPerClient: 2 });
    const { leave } = slots.enter('192.0.2.1');
    slots.enter('192.0.2.1');
    expect(() => slots.enter('192.0.2.1')).toThrow('too many transfers of 192.0.2.1 (max_transfers_per_client = 2)');
    slots.enter('192.0.2.2');
    leave();
    slots.enter('192.0.2.1');
    expect(() => slots.enter('192.0.2.1')).toThrow(expect.objectContaining({ code: 'TOO_MANY_TRANSFERS' }));

    const { answer, finish } = valley();
    const { port } = await start(answer, { transfersPerClient: 1 });
    const running = await transferring(port);
    const refused = dial(port);
    await refused.send(get('/second', 'Connection: close'));
    await refused.ended;
    const [refusal] = responses(refused);
    expect(refusal?.status).toBe(429);
    expect(refusal?.headers.get('retry-after')).toBe('5');
    expect(refusal?.headers.get('cache-control')).toBe('no-store');
    finish();
    await got(running, 'abc');
    running.socket.destroy();
  });

  it('of transfers per client applies to the client that a trusted proxy names', async () => {
    const { answer, finish } = valley();
    const clientOf = ({ headers }: Asking) => headers['x-forwarded-for']?.toString() ?? '';
    const { port } = await start(answer, { transfersPerClient: 1 }, clientOf);
    const proxy = dial(port);
    await proxy.send(get('/slow', 'X-Forwarded-For: 192.0.2.1'));
    await got(proxy, '\r\n\r\na');
    const other = dial(port);
    await other.send(
      get('/x', 'X-Forwarded-For: 192.0.2.1') + get('/x', 'X-Forwarded-For: 192.0.2.2', 'Connection: close'),
    );
    await other.ended;
    expect(responses(other)).toMatchObject([{ status: 429 }, whole]);
    finish();
    await got(proxy, 'abc');
    proxy.socket.destroy();
  });

  it('of transfers has free slots again when clients leave', async () => {
    const { answer } = valley();
    const { port, log } = await start(answer, { transfers: 1, transfersPerClient: 1 });
    for (let turn = 0; turn < 3; turn += 1) {
      const client = await transferring(port);
      client.socket.destroy();
      await until(() => log.length === turn + 1);
    }
    expect(log).toMatchObject([{ status: 499 }, { status: 499 }, { status: 499 }]);
  });

  it('of connections closes the longest-idle one to make room', async () => {
    const { answer } = valley();
    const { port } = await start(answer, { connections: 2 });
    const [first, second] = [dial(port), dial(port)];
    for (const client of [first, second, first]) {
      const before = client.received().length;
      await client.send(get('/x'));
      await client.until((received) => received.slice(before).includes('abc'));
    }
    const newcomer = dial(port);
    await newcomer.send(get('/y'));
    await got(newcomer, 'abc');
    expect(await second.ended).toBe('end');
    await first.send(get('/z', 'Connection: close'));
    await first.ended;
    expect(responses(first)).toMatchObject([whole, whole, whole]);
    newcomer.socket.destroy();
  });

  it('of connections counts one that never asked as idle from its beginning', async () => {
    const { answer } = valley();
    const { port, log } = await start(answer, { connections: 20 });
    const silent = Array.from({ length: 300 }, () => dial(port));
    const halves = silent.map((client) => client.send('GET /half HTTP/1.1\r\n'));
    await Promise.all([...halves, ...silent.slice(0, 280).map(({ ended }) => ended)]);
    const newcomer = dial(port);
    await newcomer.send(get('/x', 'Connection: close'));
    await newcomer.ended;
    expect(responses(newcomer)).toMatchObject([whole]);
    expect(log).toMatchObject([{ target: '/x', status: 200 }]);
    for (const { socket } of silent) socket.destroy();
  });

  it('of connections lets no address take the place of the others', async () => {
    const { answer } = valley();
    const { port } = await start(answer, { connections: 20 });
    const clients = [dial(port), dial(port, { localAddress: '127.0.0.3' })];
    for (const client of clients) {
      await client.send(get('/x'));
      await got(client, 'abc');
    }
    const greedy = Array.from({ length: 100 }, () => dial(port, { localAddress: '127.0.0.2' }));
    await Promise.all(greedy.slice(0, 82).map(({ ended }) => ended));
    for (const client of clients) {
      await client.send(get('/y', 'Connection: close'));
      await client.ended;
      expect(responses(client)).toMatchObject([whole, whole]);
    }
    for (const { socket } of greedy) socket.destroy();
  });

  it('of connections counts one as idle that was refused and stays open', async () => {
    const { answer } = valley();
    const { port } = await start(answer, { connections: 1 });
    const refused = dial(port, { allowHalfOpen: true });
    await refused.send('garbage\r\n\r\n');
    await refused.ended;
    const newcomer = dial(port);
    await newcomer.send(get('/x', 'Connection: close'));
    await newcomer.ended;
    expect(responses(newcomer)).toMatchObject([whole]);
    refused.socket.destroy();
  });

  it('of connections answers 503 if none is idle, and never affects transfers', async () => {
    const { answer, finish } = valley();
    const { port, asked } = await start(answer, { connections: 2 });
    const running = [await transferring(port), await transferring(port)];
    const refused = dial(port);
    await refused.send(get('/x') + get('/y'));
    expect(await refused.ended).toBe('end');
    const [refusal, ...more] = responses(refused);
    expect(refusal).toMatchObject(OVERLOADED);
    expect(refusal?.headers.get('retry-after')).toBe('5');
    expect(refusal?.headers.get('connection')).toBe('close');
    expect(more).toEqual([]);
    expect(asked).toEqual(['/slow', '/slow']);
    finish();
    await Promise.all(running.map((client) => got(client, 'abc')));
    for (const client of running) expect(responses(client)).toMatchObject([whole]);
    for (const { socket } of running) socket.destroy();
  });

  it('of connections has room for a hundred that get the 503: silent ones make way', async () => {
    const { answer } = valley();
    const { port } = await start(answer, { connections: 1 });
    const running = await transferring(port);
    const silent = Array.from({ length: 150 }, () => dial(port));
    await Promise.all(silent.slice(0, 50).map(({ ended }) => ended));
    const refused = dial(port);
    await refused.send(get('/x'));
    expect(await refused.ended).toBe('end');
    expect(responses(refused)).toMatchObject([OVERLOADED]);
    expect(running.socket.destroyed).toBe(false);
    for (const { socket } of [running, ...silent]) socket.destroy();
  });

  it.each([
    ['that sends its target byte by byte', 'GET /'],
    ['that sends field after field', `GET /x HTTP/1.1\r\nHost: a\r\n`],
  ])('of time answers 408 to a client %s', async (_, beginning) => {
    const { answer } = valley();
    const { port, asked, log } = await start(answer, { requestTimeout: 50 });
    const client = dial(port);
    await client.send(beginning);
    const dripping = setInterval(() => client.socket.write(asked.length === 0 ? 'X' : ''), 5);
    await got(client, '408 ');
    clearInterval(dripping);
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject([{ status: 408 }]);
    expect(responses(client)[0]?.headers.get('cache-control')).toBe('no-store');
    expect(log).toMatchObject([{ status: 408, method: '', target: '', client: '127.0.0.1' }]);
    expect(asked).toEqual([]);
  });

  it('of time closes a connection without any input silently', async () => {
    const { answer } = valley();
    const { port, log } = await start(answer, { requestTimeout: 50 });
    const client = dial(port);
    expect(await client.ended).toBe('end');
    expect(client.received()).toBe('');
    expect(log).toEqual([]);
  });

  it('of time never affects a transfer: half a request behind it waits for its end', async () => {
    const { answer, finish } = valley();
    const { port } = await start(answer, { requestTimeout: 50, keepAliveTimeout: 50 });
    const client = await transferring(port);
    await client.send('GET /half HTTP/1.1\r\n');
    // Another one, started after it, times out by the same clock.
    const later = dial(port);
    await later.send('GET /half HTTP/1.1\r\n');
    await later.ended;
    expect(client.received()).toMatch(/\r\n\r\na$/);
    finish();
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject([whole, { status: 408 }]);
  });

  it('of idle time closes a connection between requests', async () => {
    const { answer } = valley();
    const { port } = await start(answer, { keepAliveTimeout: 20 });
    const client = dial(port);
    await client.send(get('/x'));
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject([whole]);
  });

  it('of requests per connection is announced with the last response, and those behind it are not started', async () => {
    const { answer } = valley();
    const { port, asked } = await start(answer, { requestsPerConnection: 3 });
    const client = dial(port);
    await client.send(get('/1') + get('/2') + get('/3') + get('/4') + get('/5'));
    expect(await client.ended).toBe('end');
    expect(responses(client).map(({ headers }) => headers.get('connection'))).toEqual([
      'keep-alive',
      'keep-alive',
      'close',
    ]);
    expect(responses(client)).toMatchObject([whole, whole, whole]);
    expect(asked).toEqual(['/1', '/2', '/3']);
  });

  it.each([
    ['of the target with 414', { targetLength: 256 }, get(`/${'x'.repeat(256)}`), 414],
    ['of the head with 431', { headerSize: 1024 }, get('/x', `X: ${'x'.repeat(1024)}`), 431],
    [
      'of the target within the head with 414',
      { targetLength: 256, headerSize: 1024 },
      get(`/${'x'.repeat(2000)}`),
      414,
    ],
  ])('answers %s', async (_, limits, request, status) => {
    const { answer } = valley();
    const { port, asked } = await start(answer, limits);
    const client = dial(port);
    await client.send(request);
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject([{ status }]);
    expect(responses(client)[0]?.headers.get('cache-control')).toBe('no-store');
    expect(asked).toEqual([]);
  });
});
