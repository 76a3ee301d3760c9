import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { concat, defer, NEVER, of, Subject, throwError } from 'rxjs';
import { StreamError, type StreamEvent, type StreamRequest } from '../../../pipelines/index.ts';
import type { Limits } from '../../../src/http/limits.ts';
import { dial, type RawClient, responsesIn } from '../../support/raw-http.ts';
import { chunk } from '../../support/river.ts';
import { headWith, stubServers } from '../../support/stub-server.ts';
import { until } from '../../support/until.ts';

const start = stubServers();
afterEach(() => {
  jest.useRealTimers();
});

const get = (path: string, ...fields: readonly string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: a', ...fields, '', ''].join('\r\n');
const responses = (client: RawClient, methods: readonly string[] = []) => responsesIn(client.received(), methods, true);
const got = (client: RawClient, text: string) => client.until((received) => received.includes(text));
const whole = { status: 200, body: 'abc' };

/** `/slow` comes when the test says so; everything else at once. */
const valley = () => {
  const rest = new Subject<StreamEvent>();
  const answer = ({ path }: StreamRequest) =>
    path === '/slow'
      ? concat(
          of(headWith(3), chunk('a')),
          defer(() => rest),
        )
      : of<StreamEvent[]>(headWith(path === '/unknown' ? undefined : 3), chunk('abc'));
  const finish = () => {
    rest.next(chunk('bc'));
    rest.complete();
  };
  return { answer, finish, rest };
};

describe('the requests of a connection', () => {
  it('are begun one after the other, each when the one before has been answered', async () => {
    const { answer, finish } = valley();
    const { port, asked, log } = await start(answer);
    const client = dial(port);
    await client.send(get('/slow') + get('/b') + get('/c', 'Connection: close'));
    await got(client, '\r\n\r\na');
    expect(asked).toEqual(['/slow']);
    finish();
    await client.ended;
    expect(asked).toEqual(['/slow', '/b', '/c']);
    expect(log.map(({ target }) => target)).toEqual(asked);
    expect(responses(client)).toMatchObject([whole, whole, whole]);
  });

  it('that wait are forgotten when the client leaves', async () => {
    const { answer } = valley();
    const { port, asked, log } = await start(answer);
    const client = dial(port);
    await client.send(get('/slow') + get('/b') + get('/c'));
    await got(client, '\r\n\r\na');
    client.socket.destroy();
    await until(() => log.length === 1);
    expect(log).toMatchObject([{ target: '/slow', status: 499 }]);
    expect(asked).toEqual(['/slow']);
  });

  it('that wait are not begun when the server stops', async () => {
    const { answer, finish } = valley();
    const { server, port, asked } = await start(answer);
    const client = dial(port);
    await client.send(get('/slow') + get('/b'));
    await got(client, '\r\n\r\na');
    const stopped = server.stop(60_000);
    finish();
    await stopped;
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject([whole]);
    expect(asked).toEqual(['/slow']);
  });

  it('that wait are no more than sixteen: the rest is not begun, and the connection closed behind them', async () => {
    const { answer, finish } = valley();
    const { port, asked } = await start(answer);
    const client = dial(port);
    let parsed = 0;
    const count = () => {
      parsed += 1;
    };
    subscribe('http.server.request.start', count);
    await client.send(get('/slow'), get('/b').repeat(40_000));
    await got(client, '\r\n\r\na');
    finish();
    await client.ended;
    unsubscribe('http.server.request.start', count);
    // Node keeps whatever it parses until the connection is closed: no more than what came together with the last one.
    expect(parsed).toBeLessThan(10_000);
    expect(asked).toEqual(['/slow', ...Array(16).fill('/b')]);
    expect(responses(client)).toHaveLength(17);
    expect(responses(client).at(-1)?.headers.get('connection')).toBe('close');
  });

  it('end with one that fails in mid-body: the next is not begun', async () => {
    const lost = new StreamError('CONNECTION_LOST', 'feed', 'lost');
    const { port, asked } = await start(() =>
      concat(
        of(headWith(3), chunk('a')),
        throwError(() => lost),
      ),
    );
    const client = dial(port);
    await client.send(get('/a') + get('/b'));
    expect(await client.ended).toBe('reset');
    expect(asked).toEqual(['/a']);
  });
});

/** More than sockets hold. */
const LARGE = 'x'.repeat(16 << 20);

describe('a response that is written, but not yet read', () => {
  const reading = async (version: string, limits: Partial<Limits> = {}) => {
    const length = version === 'HTTP/1.0' ? undefined : LARGE.length;
    const { server, port, log } = await start(() => of(headWith(length), chunk(LARGE)), limits);
    const client = dial(port);
    await client.send(`GET /x ${version}\r\nHost: a\r\n\r\n`);
    await got(client, '\r\n\r\nx');
    client.socket.pause();
    const head = client.received().indexOf('\r\n\r\n') + 4;
    const rest = async () => {
      client.socket.resume();
      await client.until((received, ended) => ended || received.length === head + LARGE.length);
      return responses(client)[0]?.body.length;
    };
    return { server, port, client, log, rest };
  };

  it.each(['HTTP/1.1', 'HTTP/1.0'])('is not cut when the server stops: %s', async (version) => {
    const { server, rest } = await reading(version);
    const stopped = server.stop(60_000);
    expect(await rest()).toBe(LARGE.length);
    await stopped;
  });

  it.each(['HTTP/1.1', 'HTTP/1.0'])('is not cut to make room for another connection: %s', async (version) => {
    const { port, client, rest } = await reading(version, { connections: 1 });
    const other = dial(port);
    await other.send(get('/x'));
    await other.ended;
    expect(responses(other)).toMatchObject([{ status: 503 }]);
    expect(await rest()).toBe(LARGE.length);
    client.socket.destroy();
  });

  it.each(['HTTP/1.1', 'HTTP/1.0'])('is reset where the client never reads it: %s', async (version) => {
    const { client, log } = await reading(version, { clientTimeout: 50 });
    await until(() => log.length === 1);
    expect(log).toMatchObject([{ status: 499 }]);
    client.socket.resume();
    expect(await client.ended).toBe('reset');
  });

  it('may take its time before it is written', async () => {
    const { answer, finish } = valley();
    const { port } = await start(answer, { clientTimeout: 20 });
    const client = dial(port);
    await client.send(get('/slow', 'Connection: close'));
    await got(client, '\r\n\r\na');
    const other = await reading('HTTP/1.1', { clientTimeout: 50 });
    await until(() => other.log.length === 1);
    finish();
    await client.ended;
    expect(responses(client)).toMatchObject([whole]);
    other.client.socket.destroy();
  });
});

describe('what is no request, behind a transfer that is under way', () => {
  it.each([
    ['garbage', 'garbage\r\n\r\n', 400],
    ['an endless head', `GET /x HTTP/1.1\r\nX: ${'x'.repeat(40_000)}`, 431],
    ['a request with content', get('/x', 'Content-Length: 5'), 400],
  ])('does not get into its body: %s', async (_, bytes, status) => {
    const { answer, finish } = valley();
    const { port, log } = await start(answer);
    const client = dial(port);
    await client.send(get('/slow'));
    await got(client, '\r\n\r\na');
    const other = dial(port);
    await client.send(bytes);
    // When the other one is answered, what came before it has been read.
    await other.send(get('/x'));
    await got(other, 'abc');
    expect(client.received()).toMatch(/\r\n\r\na$/);
    finish();
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject([whole, { status }]);
    expect(log.map((served) => served.status)).toEqual([200, 200, status]);
    other.socket.destroy();
  });

  it('resets it where it is CONNECT', async () => {
    const { answer } = valley();
    const { port, log } = await start(answer);
    const client = dial(port);
    await client.send(get('/slow'));
    await got(client, '\r\n\r\na');
    await client.send('CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.ended).toBe('reset');
    await until(() => log.length === 1);
    expect(log).toMatchObject([{ status: 499 }]);
  });
});

describe('the last answer', () => {
  it('to CONNECT may be met with a reset', async () => {
    const { answer } = valley();
    const { port } = await start(answer);
    const client = dial(port, { allowHalfOpen: true });
    await client.send('CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.ended).toBe('end');
    client.socket.resetAndDestroy();
    // Answered after the reset was heard; an error that nobody hears would end the process.
    const other = dial(port);
    await other.send(get('/x', 'Connection: close'));
    await other.ended;
    expect(responses(other)).toMatchObject([whole]);
  });

  it.each([
    ['content', 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 90000000\r\n\r\n', 405],
    ['chunks', 'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n', 405],
    ['garbage', 'garbage\r\n\r\n', 400],
    ['a head', `GET /x HTTP/1.1\r\nX: ${'x'.repeat(40_000)}`, 431],
  ])('arrives at a client that goes on sending %s', async (_, beginning, status) => {
    const { answer } = valley();
    const { port } = await start(answer);
    const client = dial(port, { allowHalfOpen: true });
    client.socket.pause();
    await client.send(beginning);
    // More than the sockets hold, so that all of it was taken when it is written.
    await new Promise((resolve) => client.socket.write('x'.repeat(16 << 20), resolve));
    client.socket.resume();
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject([{ status }]);
    client.socket.destroy();
  });

  it('is followed by the end of the connection, also where the client keeps it open', async () => {
    const { answer } = valley();
    const { port } = await start(answer);
    const client = dial(port, { allowHalfOpen: true });
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
    await client.send('garbage\r\n\r\n');
    expect(await client.ended).toBe('end');
    jest.advanceTimersByTime(5_000);
    // What is sent to a closed connection comes back as a reset.
    const broken = new Promise((resolve) => client.socket.once('error', resolve));
    const dripping = async () => {
      while (!client.socket.destroyed) await client.send('x');
    };
    await Promise.all([broken, dripping()]);
  });
});

describe('the framing of a response', () => {
  it.each([
    ['HTTP/1.1, length known', 'HTTP/1.1', [], '/known', ['3', undefined, 'keep-alive']],
    ['HTTP/1.1, length unknown', 'HTTP/1.1', [], '/unknown', [undefined, 'chunked', 'keep-alive']],
    ['HTTP/1.1 with close, length known', 'HTTP/1.1', ['Connection: close'], '/known', ['3', undefined, 'close']],
    [
      'HTTP/1.1 with close, length unknown',
      'HTTP/1.1',
      ['Connection: close'],
      '/unknown',
      [undefined, 'chunked', 'close'],
    ],
    ['HTTP/1.0, length known', 'HTTP/1.0', [], '/known', ['3', undefined, 'close']],
    ['HTTP/1.0, length unknown', 'HTTP/1.0', [], '/unknown', [undefined, undefined, 'close']],
    [
      'HTTP/1.0 with keep-alive, length known',
      'HTTP/1.0',
      ['Connection: keep-alive'],
      '/known',
      ['3', undefined, 'keep-alive'],
    ],
    [
      'HTTP/1.0 with keep-alive, length unknown',
      'HTTP/1.0',
      ['Connection: keep-alive'],
      '/unknown',
      [undefined, undefined, 'close'],
    ],
    ['HTTP/1.0 with TE, length unknown', 'HTTP/1.0', ['TE: chunked'], '/unknown', [undefined, undefined, 'close']],
  ])('is right for %s', async (_, version, fields, path, expected) => {
    const { answer } = valley();
    const { port } = await start(answer);
    const client = dial(port);
    await client.send([`GET ${path} ${version}`, 'Host: a', ...fields, '', ''].join('\r\n'));
    if (expected[2] === 'close') expect(await client.ended).toBe('end');
    else await client.send(get('/known', 'Connection: close'));
    await client.ended;
    const [response, ...more] = responses(client);
    const { headers } = response!;
    expect(response).toMatchObject(whole);
    expect(['content-length', 'transfer-encoding', 'connection'].map((name) => headers.get(name))).toEqual(expected);
    expect(more).toMatchObject(expected[2] === 'close' ? [] : [whole]);
  });

  it.each(['/known', '/unknown'])('of HEAD has no body, and the next response follows at once: %s', async (path) => {
    const { answer } = valley();
    const { port } = await start(answer);
    const client = dial(port);
    await client.send(get(path).replace('GET', 'HEAD') + get('/known', 'Connection: close'));
    await client.ended;
    expect(responses(client, ['HEAD'])).toMatchObject([{ status: 200, body: '' }, whole]);
    expect(client.received()).not.toContain('chunked');
  });

  it.each([304, 412] as const)('of %d has no more than it says', async (status) => {
    const { port } = await start(() => of({ ...headWith(status === 304 ? undefined : 0), status }));
    const client = dial(port);
    await client.send(get('/a') + get('/b', 'Connection: close'));
    await client.ended;
    expect(responses(client)).toMatchObject([
      { status, body: '' },
      { status, body: '' },
    ]);
    expect(client.received()).not.toContain('chunked');
  });

  it('has no interim response for an expectation: there is no content to ask for', async () => {
    const { answer } = valley();
    const { port } = await start(answer);
    const client = dial(port);
    await client.send(get('/x', 'Expect: 100-continue'));
    await client.ended;
    expect(client.received()).toMatch(/^HTTP\/1\.1 200 /);
    expect(responses(client)).toMatchObject([whole]);
  });
});

describe('an open connection', () => {
  it('that is closed without a request leaves nothing in the log', async () => {
    const { answer } = valley();
    const { port, log } = await start(answer);
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const client = dial(port);
      await new Promise((resolve) => client.socket.once('connect', resolve));
      client.socket[end]();
      await new Promise((resolve) => client.socket.once('close', resolve));
    }
    const other = dial(port);
    await other.send(get('/x', 'Connection: close'));
    await other.ended;
    await until(() => log.length > 0);
    expect(log).toMatchObject([{ target: '/x', status: 200 }]);
  });

  it('is left alone while its response takes its time', async () => {
    const { port } = await start(() => concat(of(headWith(3), chunk('a')), NEVER), {
      keepAliveTimeout: 10,
      requestTimeout: 20,
    });
    const client = dial(port);
    await client.send(get('/x'));
    await got(client, '\r\n\r\na');
    for (let turn = 0; turn < 3; turn += 1) {
      const other = dial(port);
      await other.ended;
    }
    expect(client.socket.destroyed).toBe(false);
    expect(client.received()).toMatch(/\r\n\r\na$/);
    client.socket.destroy();
  });
});
