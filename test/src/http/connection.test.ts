import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  concat,
  defer,
  distinctUntilChanged,
  filter,
  finalize,
  NEVER,
  Observable,
  of,
  Subject,
  throwError,
} from 'rxjs';
import { type Report, StreamError, type StreamEvent } from '../../../pipelines/index.ts';
import type { Limits } from '../../../src/http/limits.ts';
import type { ClientRequest } from '../../../src/http/server-options.ts';
import { chunk } from '../../support/pipeline.ts';
import { dial, type RawClient, responsesIn } from '../../support/raw-http.ts';
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

/** More than the sockets hold. */
const LARGE = 'x'.repeat(16 << 20);

/** `/slow` answers when the test lets it; all other paths answer at once. */
const valley = () => {
  const rest = new Subject<StreamEvent>();
  const answer = ({ path }: ClientRequest) =>
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

/** Sources that deliver `abc` once their valve is open. They log their actions. */
const sources = () => {
  const told: string[] = [];
  const answer = ({ path, valve }: ClientRequest, report: (report: Report) => void) =>
    new Observable<StreamEvent>((out) => {
      told.push(`begin ${path}`);
      out.next(headWith(3));
      if (path === '/slow') out.next(chunk('a'));
      const rest: Observable<unknown> = path === '/slow' ? come : valve.pipe(filter((open) => open));
      out.add(
        rest.subscribe(() => {
          told.push(`finish ${path}`);
          out.next(chunk(path === '/slow' ? 'bc' : 'abc'));
          out.complete();
        }),
      );
      out.add(() => {
        told.push(`leave ${path}`);
        report({ outcome: 'left' } as Report);
      });
    });
  const come = new Subject<void>();
  const left = (path: string) => told.includes(`leave ${path}`);
  return { answer, told, left, finish: () => come.next() };
};

describe('requests on a connection', () => {
  it('are answered one after the other; the next four are started early, with closed valves', async () => {
    const { answer, told, finish } = sources();
    const { port, log } = await start(answer);
    const client = dial(port);
    const paths = ['/slow', '/1', '/2', '/3', '/4', '/5', '/6'];
    await client.send(paths.map((path) => get(path)).join('') + get('/7', 'Connection: close'));
    await got(client, '\r\n\r\na');
    expect(told).toEqual(paths.slice(0, 5).map((path) => `begin ${path}`));
    expect(client.received()).toMatch(/\r\n\r\na$/);
    finish();
    await client.ended;
    expect(responses(client)).toMatchObject(Array(8).fill(whole));
    expect(log.map(({ target }) => target)).toEqual([...paths, '/7']);
    for (const path of [...paths, '/7'])
      expect(told.filter((what) => what.endsWith(` ${path}`))).toEqual([
        `begin ${path}`,
        `finish ${path}`,
        `leave ${path}`,
      ]);
    const begins = told.filter((what) => what.startsWith('begin')).map((what) => what.slice('begin '.length));
    expect(begins).toEqual([...paths, '/7']);
    // Each makes room for one more as soon as its turn has come.
    expect(told.indexOf('begin /5')).toBeGreaterThan(told.indexOf('finish /1'));
    expect(told.indexOf('begin /5')).toBeLessThan(told.indexOf('finish /2'));
  });

  it('that were started ahead are abandoned when the client leaves; the others are dropped', async () => {
    const { answer, told } = sources();
    const { port, log } = await start(answer);
    const client = dial(port);
    await client.send(['/slow', '/1', '/2', '/3', '/4', '/5'].map((path) => get(path)).join(''));
    await got(client, '\r\n\r\na');
    client.socket.destroy();
    await until(() => log.length === 5);
    expect(told.slice(5).toSorted()).toEqual(['/1', '/2', '/3', '/4', '/slow'].map((path) => `leave ${path}`));
    expect(log.map(({ target }) => target).toSorted()).toEqual(['/1', '/2', '/3', '/4', '/slow']);
    for (const { status } of log) expect(status).toBe(499);
  });

  it('that wait are not answered when the server stops, started or not', async () => {
    const { answer, told, left, finish } = sources();
    const { server, port } = await start(answer);
    const client = dial(port);
    await client.send(['/slow', '/1', '/2', '/3', '/4', '/5'].map((path) => get(path)).join(''));
    await got(client, '\r\n\r\na');
    const stopped = server.stop(60_000);
    expect(['/1', '/2', '/3', '/4'].every(left)).toBe(true);
    finish();
    await stopped;
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject([whole]);
    expect(told).not.toContain('begin /5');
  });

  it('end with one that fails mid-body: the next is not answered', async () => {
    const lost = new StreamError('CONNECTION_LOST', 'feed', 'lost');
    const failing = new Subject<StreamEvent>();
    const { answer, told, left } = sources();
    const { port, log } = await start((request, report) =>
      request.path === '/a' ? concat(of(headWith(3), chunk('a')), failing) : answer(request, report),
    );
    const client = dial(port);
    await client.send(get('/a') + get('/b'));
    await got(client, '\r\n\r\na');
    failing.error(lost);
    expect(await client.ended).toBe('reset');
    await until(() => left('/b'));
    expect(told).toEqual(['begin /b', 'leave /b']);
    expect(client.received()).toMatch(/\r\n\r\na$/);
    await until(() => log.length === 2);
  });

  it('end with a response that ends with the connection: the one started behind it is abandoned', async () => {
    const { answer, told, left } = sources();
    const { port } = await start((request, report) =>
      request.path === '/a' ? of<StreamEvent[]>(headWith(undefined), chunk('abc')) : answer(request, report),
    );
    const client = dial(port);
    const old = (path: string) => `GET ${path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`;
    await client.send(old('/a') + old('/b'));
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject([whole]);
    await until(() => left('/b'));
    expect(told).toEqual(['begin /b', 'leave /b']);
  });

  it.each([
    ['before its head', []],
    ['after its head', [headWith(3)]],
    ['after some bytes', [headWith(3), chunk('a')]],
  ])('that fail ahead of their turn are answered with the error, in their turn: %s', async (_, events) => {
    const { answer, finish } = sources();
    const lost = new StreamError('CONNECTION_LOST', 'feed', 'lost');
    const { port, log } = await start((request, report) =>
      request.path === '/broken'
        ? concat(
            of<StreamEvent[]>(...events),
            throwError(() => lost),
          )
        : answer(request, report),
    );
    const client = dial(port);
    await client.send(get('/slow') + get('/broken') + get('/b', 'Connection: close'));
    await got(client, '\r\n\r\na');
    expect(client.received()).toMatch(/\r\n\r\na$/);
    finish();
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject([whole, { status: 502 }, whole]);
    expect(log).toMatchObject([{ status: 200 }, { status: 502, error: lost }, { status: 200 }]);
  });

  it.each(['SOURCE_FULL', 'HEAD_TIMEOUT', 'CLIENT_STUCK'] as const)(
    'that fail ahead of their turn because they wait are restarted in their turn: %s',
    async (code) => {
      const { answer, finish } = sources();
      let asked = 0;
      const failing = new Subject<never>();
      const { port, log } = await start((request, report) => {
        if (request.path !== '/b') return answer(request, report);
        asked += 1;
        return asked === 1 ? concat(of(headWith(3)), failing) : answer(request, report);
      });
      const client = dial(port);
      await client.send(get('/slow') + get('/b', 'Connection: close'));
      await got(client, '\r\n\r\na');
      failing.error(new StreamError(code, 'self', ''));
      finish();
      await client.ended;
      expect(responses(client)).toMatchObject([whole, whole]);
      expect(asked).toBe(2);
      expect(log).toMatchObject([{ status: 200 }, { status: 200, error: undefined }]);
    },
  );

  it('that are refused are refused in their turn, and cost nothing before it', async () => {
    const { answer, told, finish } = sources();
    const { port } = await start(answer);
    const client = dial(port);
    const others = ['POST /1', 'OPTIONS *', 'GET /a#b'].map((line) => `${line} HTTP/1.1\r\nHost: a\r\n\r\n`).join('');
    await client.send(get('/slow') + others + get('/b', 'Host: b'));
    await got(client, '\r\n\r\na');
    expect(told).toEqual(['begin /slow']);
    finish();
    await client.ended;
    expect(responses(client).map(({ status }) => status)).toEqual([200, 405, 204, 400, 400]);
  });

  it.each([
    [0, 5_000],
    [600_000, 5_000],
    [1_000, 500],
  ])(
    'that wait too long for their turn are abandoned, and restarted in it: client_timeout %d',
    async (clientTimeout, wait) => {
      jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
      const { answer, told, left, finish } = sources();
      const { port, log } = await start(answer, { clientTimeout });
      const client = dial(port);
      await client.send(get('/slow') + get('/b', 'Connection: close'));
      await got(client, '\r\n\r\na');
      jest.advanceTimersByTime(wait - 1);
      expect(left('/b')).toBe(false);
      jest.advanceTimersByTime(1);
      expect(told).toEqual(['begin /slow', 'begin /b', 'leave /b']);
      finish();
      await client.ended;
      expect(responses(client)).toMatchObject([whole, whole]);
      expect(told.slice(-3)).toEqual(['begin /b', 'finish /b', 'leave /b']);
      expect(log).toHaveLength(2);
    },
  );

  it.each([{ transfers: 2 }, { transfersPerClient: 2 }])(
    'that were started ahead give way to those whose turn has come: %j',
    async (limits) => {
      const { answer, told, left, finish } = sources();
      const { port } = await start(answer, limits);
      const client = dial(port);
      await client.send(get('/slow') + get('/b') + get('/c', 'Connection: close'));
      await got(client, '\r\n\r\na');
      expect(told).toEqual(['begin /slow', 'begin /b']);
      const other = dial(port);
      await other.send(get('/x', 'Connection: close'));
      await other.ended;
      expect(responses(other)).toMatchObject([whole]);
      expect(left('/b')).toBe(true);
      finish();
      await client.ended;
      expect(responses(client)).toMatchObject([whole, whole, whole]);
    },
  );

  it('take no slot from others ahead of their turn, and are then refused like others', async () => {
    const { answer, told, finish } = sources();
    const { port, log } = await start(answer, { transfers: 2 });
    const [one, two] = [dial(port), dial(port)];
    for (const client of [one, two]) {
      await client.send(get('/slow'));
      await got(client, '\r\n\r\na');
    }
    await one.send(get('/b'));
    const other = dial(port);
    await other.send(get('/c'));
    await got(other, '503 ');
    expect(told).toEqual(['begin /slow', 'begin /slow']);
    finish();
    await got(one, 'abc');
    expect(responses(one)).toMatchObject([whole, whole]);
    expect(log.map(({ status }) => status)).toEqual([503, 200, 200, 200]);
    for (const { socket } of [one, two, other]) socket.destroy();
  });

  it('that wait are all answered, but neither read nor parsed in advance', async () => {
    const { answer, finish } = valley();
    const { port, asked } = await start(answer, { requestsPerConnection: 0 });
    const client = dial(port);
    let parsed = 0;
    let read = 0;
    const count = (message: unknown) => {
      const { socket } = message as { readonly socket: Socket };
      parsed += 1;
      read = Math.max(read, socket.bytesRead);
    };
    subscribe('http.server.request.start', count);
    // As small as requests can be: thousands fit into one read.
    const paths = Array.from({ length: 20_000 }, (_, at) => `/${at}`);
    await client.send(get('/slow') + paths.map((path) => `GET ${path} HTTP/1.1\r\nHost:\r\n\r\n`).join(''));
    await got(client, '\r\n\r\na');
    const other = dial(port);
    await other.send(get('/x'));
    await got(other, 'abc');
    // Five wait as requests, and the rest of a read as bytes.
    expect(parsed).toBe(7);
    expect(read).toBeLessThanOrEqual(2 * 65_536);
    expect(asked).toEqual(['/slow', '/0', '/1', '/2', '/3', '/x']);
    finish();
    await client.send(get('/last', 'Connection: close'));
    expect(await client.ended).toBe('end');
    unsubscribe('http.server.request.start', count);
    expect(asked.filter((path) => path !== '/x')).toEqual(['/slow', ...paths, '/last']);
    expect(client.received().match(/HTTP\/1\.1 200 OK\r\n/g)).toHaveLength(20_002);
    expect(client.received().endsWith('\r\n\r\nabc')).toBe(true);
    other.socket.destroy();
  });

  const HALF = 'GET /half HTTP/1.1\r\n';

  it.each(['comes', 'does not come'])('that could not be read are not late: the rest %s', async (rest) => {
    const { answer, finish } = valley();
    const { port } = await start(answer, { requestTimeout: 50 });
    const client = dial(port);
    const statuses = () => responses(client).map(({ status }) => status);
    /** The time limit of a request. */
    const time = async () => {
      const other = dial(port);
      await other.send(HALF);
      await other.ended;
    };
    // In one write, so that the half is known when reading stops.
    await client.send(get('/slow') + get('/b').repeat(1000) + HALF);
    await got(client, '\r\n\r\na');
    if (rest === 'comes') await client.send('Host: a\r\n\r\n');
    await time();
    finish();
    if (rest === 'comes') {
      await client.until(() => statuses().length === 1002);
      await time();
      await client.send(get('/last', 'Connection: close'));
    }
    expect(await client.ended).toBe('end');
    expect(statuses()).toEqual([...Array(1001).fill(200), ...(rest === 'comes' ? [200, 200] : [408])]);
  });
});

describe('a request that was started ahead of its turn', () => {
  /** `/b` starts with an `a`, and never ends. */
  const endless = () => {
    const sourced = sources();
    let left = false;
    const body = concat(of(headWith(3), chunk('a')), NEVER).pipe(
      finalize(() => {
        left = true;
      }),
    );
    const answer = (request: ClientRequest, report: (report: Report) => void) =>
      request.path === '/b' ? body : sourced.answer(request, report);
    return { ...sourced, answer, left: () => left };
  };

  it('is abandoned when the client leaves during its turn', async () => {
    const { answer, left, finish } = endless();
    const { port } = await start(answer);
    const client = dial(port);
    await client.send(get('/slow') + get('/b'));
    await got(client, '\r\n\r\na');
    finish();
    await got(client, 'abc');
    await client.until((received) => received.endsWith('\r\n\r\na'));
    client.socket.destroy();
    await until(left);
  });

  it('no longer gives way in its turn, and may take its time', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
    const { answer, left, finish } = endless();
    const { port } = await start(answer, { transfers: 2 });
    const client = dial(port);
    await client.send(get('/slow') + get('/b'));
    await got(client, '\r\n\r\na');
    finish();
    await client.until((received) => received.includes('abc') && received.endsWith('\r\n\r\na'));
    jest.advanceTimersByTime(60_000);
    expect(left()).toBe(false);
    const [second, third] = [dial(port), dial(port)];
    await second.send(get('/slow'));
    await got(second, '\r\n\r\na');
    await third.send(get('/x'));
    await got(third, '503 ');
    expect(left()).toBe(false);
    for (const { socket } of [client, second, third]) socket.destroy();
  });

  it('and refused in its turn reports nothing of the early start', async () => {
    let signed = true;
    const { answer, left, finish } = sources();
    const { port, log } = await start(answer, { clientTimeout: 20 }, undefined, (target) => {
      if (!signed) throw new StreamError('URL_REFUSED', 'client', 'too late');
      return target;
    });
    const client = dial(port);
    await client.send(get('/slow') + get('/b', 'Connection: close'));
    await got(client, '\r\n\r\na');
    await until(() => left('/b'));
    signed = false;
    finish();
    await client.ended;
    expect(log).toMatchObject([
      { target: '/slow', status: 200 },
      { target: '/b', status: 403, report: undefined },
    ]);
  });

  it('gets no more than the client reads, from the beginning', async () => {
    const states: boolean[] = [];
    const { answer, finish } = sources();
    const { port } = await start((request, report) => {
      if (request.path !== '/b') return answer(request, report);
      request.valve.pipe(distinctUntilChanged()).subscribe((open) => states.push(open));
      return concat(of(headWith(LARGE.length + 1), chunk(LARGE)), NEVER);
    });
    const client = dial(port);
    await client.send(get('/slow') + get('/b'));
    await got(client, '\r\n\r\na');
    finish();
    await got(client, 'abc');
    client.socket.pause();
    const other = dial(port);
    await other.send(get('/x'));
    await got(other, 'abc');
    expect(states).toEqual([false]);
    client.socket.resume();
    await until(() => states.length > 1);
    expect(states).toEqual([false, true]);
    for (const { socket } of [client, other]) socket.destroy();
  });
});

describe('a request to upgrade the protocol', () => {
  const UPGRADE = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'];

  it('is served without the upgrade, also repeatedly', async () => {
    const { answer } = valley();
    const { port, log } = await start(answer);
    const client = dial(port);
    for (let count = 1; count <= 20; count += 1) {
      await client.send(get(`/${count}`, ...UPGRADE));
      await client.until(() => responses(client).length === count);
    }
    await client.send(get('/last', 'Connection: close'));
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject(Array(21).fill(whole));
    expect(log).toHaveLength(21);
  });

  it('keeps its path and the requests behind it as the client sent them', async () => {
    const { answer } = valley();
    const { port, log } = await start(answer);
    const client = dial(port);
    await client.send(get('/\xc3\xa9b', ...UPGRADE) + get('/\xc3\xa9c') + get('/d', 'Connection: close', ...UPGRADE));
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject([whole, whole, whole]);
    expect(log.map(({ target }) => target)).toEqual(['/éb', '/éc', '/d']);
  });

  it('behind a running response ends the connection after its answer, because Node drops the following data', async () => {
    const { answer, finish } = valley();
    const { port, asked } = await start(answer);
    const client = dial(port);
    await client.send(get('/slow') + get('/b', ...UPGRADE) + get('/lost'));
    await got(client, '\r\n\r\na');
    finish();
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject([whole, whole]);
    expect(responses(client)[1]?.headers.get('connection')).toBe('close');
    expect(asked).toEqual(['/slow', '/b']);
  });

  it('keeps the connection subject to the limits', async () => {
    const { answer } = valley();
    const { port, log } = await start(answer, { keepAliveTimeout: 20, requestsPerConnection: 3 });
    const idle = dial(port);
    await idle.send(get('/a', ...UPGRADE));
    expect(await idle.ended).toBe('end');
    const client = dial(port);
    await client.send(get('/1'));
    await got(client, 'abc');
    await client.send(get('/2', ...UPGRADE) + get('/3') + get('/4'));
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject([whole, whole, whole]);
    await until(() => log.length === 4);
  });
});

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

  it.each(['HTTP/1.1', 'HTTP/1.0'])('is reset if the client never reads it: %s', async (version) => {
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

describe('input that is not a request, behind a running transfer', () => {
  it.each([
    ['garbage', 'garbage\r\n\r\n', 400],
    ['an endless head', `GET /x HTTP/1.1\r\nX: ${'x'.repeat(40_000)}`, 431],
    ['a request with content', get('/x', 'Content-Length: 5'), 400],
    ['a request for a tunnel', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 405],
  ])('does not affect its body: %s', async (_, bytes, status) => {
    const { answer, finish } = valley();
    const { port, log } = await start(answer);
    const client = dial(port);
    await client.send(get('/slow'));
    await got(client, '\r\n\r\na');
    const other = dial(port);
    await client.send(bytes);
    // When the other one is answered, the input before it has been read.
    await other.send(get('/x'));
    await got(other, 'abc');
    expect(client.received()).toMatch(/\r\n\r\na$/);
    finish();
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject([whole, { status }]);
    expect(log.map((finished) => finished.status)).toEqual([200, 200, status]);
    other.socket.destroy();
  });
});

describe('the last response', () => {
  it('to CONNECT tolerates a reset', async () => {
    const { answer } = valley();
    const { port } = await start(answer);
    const client = dial(port, { allowHalfOpen: true });
    await client.send('CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.ended).toBe('end');
    client.socket.resetAndDestroy();
    // Answered after the reset was reported; an unhandled error would end the process.
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
  ])('arrives at a client that still sends %s', async (_, beginning, status) => {
    const { answer } = valley();
    const { port } = await start(answer);
    const client = dial(port, { allowHalfOpen: true });
    client.socket.pause();
    await client.send(beginning);
    // More than the sockets hold, so that everything was read once it is written.
    await new Promise((resolve) => client.socket.write('x'.repeat(16 << 20), resolve));
    client.socket.resume();
    expect(await client.ended).toBe('end');
    expect(responses(client)).toMatchObject([{ status }]);
    client.socket.destroy();
  });

  it('is followed by the end of the connection, even if the client keeps it open', async () => {
    const { answer } = valley();
    const { port } = await start(answer);
    const client = dial(port, { allowHalfOpen: true });
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
    await client.send('garbage\r\n\r\n');
    expect(await client.ended).toBe('end');
    jest.advanceTimersByTime(5_000);
    // Data sent to a closed connection causes a reset.
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

  it.each([304, 412] as const)('of %d has only the announced bytes', async (status) => {
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

  it('has no interim response for an expectation, because no content is wanted', async () => {
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

  it('stays open while its response takes its time', async () => {
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
