import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { concat, finalize, first, from, map, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { type Chunk, type Report, StreamError, type StreamEvent } from '../../../pipelines/index.ts';
import { type Limits, USUAL_LIMITS } from '../../../src/http/limits.ts';
import type { HttpServer } from '../../../src/http/listeners.ts';
import { createHttpServer } from '../../../src/http/server.ts';
import type { ClientRequest } from '../../../src/http/server-options.ts';
import type { FinishedRequest } from '../../../src/lib/finished-request.ts';
import { aCandidate, bytesOf, chunk, entryOf, headOf } from '../../support/pipeline.ts';
import { until } from '../../support/until.ts';

const candidate = aCandidate('feed', entryOf('abc'));
const head = (length: number | undefined, ...headers: [string, string][]) => headOf(candidate, { length, headers });
const lost = new StreamError('CONNECTION_LOST', 'feed', 'http://secret@feed/x lost');

const running: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop(0)));
});

const ALL = { via: true, cacheStatus: true, proxyStatus: true, requestId: true };
const NONE = { via: false, cacheStatus: false, proxyStatus: false, requestId: false };

type Answer = (request: ClientRequest, report: (report: Report) => void) => Observable<StreamEvent>;

const serve = async (answer: Answer, { identify = ALL, legacyErrors = false, limits = {} as Partial<Limits> } = {}) => {
  const asked: ClientRequest[] = [];
  const finished = new Subject<FinishedRequest>();
  const log: FinishedRequest[] = [];
  finished.subscribe((one) => log.push(one));
  const server = createHttpServer({
    fetch: (request, report) => {
      asked.push(request);
      return answer(request, report);
    },
    finished: (one) => finished.next(one),
    newId: () => 'id-1',
    now: () => performance.now(),
    identify,
    legacyErrors,
    limits: { ...USUAL_LIMITS, ...limits },
  });
  running.push(server);
  const [address] = await server.listen([{ host: '127.0.0.1', ipv6Only: false }], 0);
  const port = address?.port ?? 0;
  const get = async (path: string, options: object = {}): Promise<IncomingMessage> => {
    const req = request({ host: '127.0.0.1', port, path, agent: false, ...options }).end();
    const [res] = await once(req, 'response');
    return res;
  };
  const raw = async (bytes: string): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(bytes);
    return socket;
  };
  const nextServed = () => new Promise<FinishedRequest>((resolve) => finished.subscribe(resolve));
  return { server, port, asked, log, get, raw, nextServed };
};

describe('the HTTP server', () => {
  it('sends head and body, with the length if it is known', async () => {
    const { get, asked } = await serve(() => of(head(3, ['X-A', '1'], ['X-A', '2']), chunk('ab'), chunk('c')));
    const res = await get('/a%20b/c.rpm;v=1?policy=x;signature=y');
    expect(res.statusCode).toBe(200);
    expect(res.headers['content-length']).toBe('3');
    expect(res.rawHeaders.filter((_, i, all) => all[i - 1] === 'X-A')).toEqual(['1', '2']);
    expect(await text(res)).toBe('abc');
    expect(asked).toMatchObject([{ id: 'id-1', method: 'GET', path: '/a%20b/c.rpm;v=1', save: true }]);
  });

  it('sends Date with content and with errors', async () => {
    const { get } = await serve(({ path }) => (path === '/x' ? of(head(0)) : throwError(() => lost)));
    for (const path of ['/x', '/y']) {
      const { date = '' } = (await get(path)).headers;
      expect(new Date(date).toUTCString()).toBe(date);
    }
  });

  it('sends the head before there is any body', async () => {
    const { get } = await serve(() => concat(of(head(3)), NEVER));
    const res = await get('/x');
    expect(res.statusCode).toBe(200);
    res.destroy();
  });

  it('ends a body of unknown length cleanly', async () => {
    const { get } = await serve(() => of(head(undefined), chunk('abc')));
    const res = await get('/x');
    expect(res.headers['transfer-encoding']).toBe('chunked');
    expect(await text(res)).toBe('abc');
  });

  it('answers HEAD with the head alone', async () => {
    const { get } = await serve(() => of(head(3)));
    const res = await get('/x', { method: 'HEAD' });
    expect(res.headers['content-length']).toBe('3');
    expect(await text(res)).toBe('');
  });

  it('queues no save for a file that Pulp itself downloads', async () => {
    const { get, asked } = await serve(() => of(head(0)));
    await text(await get('/x', { headers: { 'Pulp-Stream-Request': 'true' } }));
    expect(asked).toMatchObject([{ save: false }]);
  });

  it.each(['*', '/x'])('answers OPTIONS %s with 204 and Allow, and asks no source', async (path) => {
    const { get, asked, nextServed } = await serve(() => concat(of(head(3)), NEVER), { limits: { transfers: 1 } });
    const running = await get('/y');
    const finished = nextServed();
    const res = await get(path, { method: 'OPTIONS' });
    expect(res.statusCode).toBe(204);
    expect(res.headers).toMatchObject({ allow: 'GET, HEAD, OPTIONS', 'x-request-id': 'id-1' });
    expect(res.headers).not.toHaveProperty('content-length');
    expect(await finished).toMatchObject({ method: 'OPTIONS', target: path, status: 204 });
    expect(asked).toHaveLength(1);
    running.destroy();
  });

  it('waits for the whole part if a cache wants it as a slice', async () => {
    const { get, asked } = await serve(() => of(head(0)));
    for (const slice of ['true', 'TRUE', 'false', ''])
      await text(await get('/x', { headers: { 'Pulp-Stream-Slice': slice } }));
    await text(await get('/x'));
    expect(asked.map(({ slice }) => slice)).toEqual([true, true, false, false, false]);
  });

  it.each([
    ['HTTP/1.0', '', false],
    ['HTTP/1.1', '', false],
    ['HTTP/1.0', 'Via: 1.1 cache\r\n', true],
    ['HTTP/1.1', 'Via: 1.1 cache\r\n', false],
    ['HTTP/1.1', 'Via: 1.0 cache (squid/5.7)\r\n', true],
    ['HTTP/1.1', 'Via: 1.1 a\r\nVia: 1.1 b, 1.0 c\r\n', true],
  ])(
    'needs the length if a cache hides from the client that a body broke off: %s, %j',
    async (version, via, needed) => {
      const { raw, asked } = await serve(() => of(head(0)));
      const socket = await raw(`GET /x ${version}\r\nHost: a\r\n${via}\r\n`);
      await once(socket, 'data');
      expect(asked.map(({ lengthRequired }) => lengthRequired)).toEqual([needed]);
      socket.destroy();
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'TRACE', 'PATCH', 'PROPFIND'])('refuses %s with 405 and Allow', async (method) => {
    const { get, asked } = await serve(() => NEVER);
    const res = await get('/x', { method });
    expect(res.statusCode).toBe(405);
    expect(res.headers.allow).toBe('GET, HEAD, OPTIONS');
    expect(res.headers['cache-control']).toBe('no-store');
    expect(await text(res)).toBe('405 only GET and HEAD are served\n');
    expect(asked).toEqual([]);
  });

  it.each([
    ['an asterisk', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['no slash', 'GET abc HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a control character', 'GET /a\x01b HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a fragment', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['no HTTP', 'hello\r\n\r\n'],
  ])('refuses a malformed target with 400: %s', async (_, bytes) => {
    const { raw, asked } = await serve(() => NEVER);
    const socket = await raw(bytes);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*no-store/);
    expect(asked).toEqual([]);
    socket.destroy();
  });

  it('takes the path of an absolute target', async () => {
    const { raw, asked } = await serve(() => of(head(0)));
    const socket = await raw('GET http://host:1/a/b?c HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    expect(asked).toMatchObject([{ path: '/a/b' }]);
    socket.destroy();
  });

  it.each([
    ['NOT_IN_CATALOG', 404, undefined],
    ['SOURCE_REFUSED', 502, undefined],
    ['HEAD_TIMEOUT', 504, undefined],
    ['CATALOG_UNAVAILABLE', 503, '5'],
    ['INTERNAL', 500, undefined],
  ] as const)('answers %s with %d, and reveals nothing about the sources', async (code, status, retryAfter) => {
    const { get } = await serve(() => throwError(() => new StreamError(code, 'feed', 'http://user:secret@feed/x')));
    const res = await get('/x');
    expect(res.statusCode).toBe(status);
    expect(res.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'text/plain; charset=utf-8' });
    expect(res.headers['retry-after']).toBe(retryAfter);
    expect(await text(res)).not.toMatch(/secret|feed/);
  });

  it('answers every failure of the sources with 404 if errors are as in Pulp 2', async () => {
    const { get } = await serve(() => throwError(() => lost), { legacyErrors: true });
    const res = await get('/x');
    expect(res.statusCode).toBe(404);
    expect(res.headers).toMatchObject({
      'cache-control': 'no-store',
      'proxy-status': 'pulp-streamer;error=connection_terminated;details="CONNECTION_LOST"',
    });
    expect(await text(res)).toBe('404 the source closed the connection too early\n');
  });

  it.each([
    [undefined, '5'],
    [0, '0'],
    [1500, '2'],
    [9e18, '3600'],
  ])('sends Retry-After as the source did, with a maximum: %s ms', async (retryAfter, seconds) => {
    const { get } = await serve(() => throwError(() => new StreamError('SOURCE_BUSY', 'feed', '', { retryAfter })));
    expect((await get('/x')).headers['retry-after']).toBe(seconds);
  });

  it('answers HEAD with the header fields of an error, and no body', async () => {
    const { get } = await serve(() => throwError(() => lost));
    const [whole, head] = [await get('/x'), await get('/x', { method: 'HEAD' })];
    const { date: _, ...fields } = head.headers;
    expect(whole.headers).toMatchObject(fields);
    expect(fields['content-length']).toBe('47');
    expect([await text(whole), await text(head)]).toEqual(['502 the source closed the connection too early\n', '']);
  });

  it('uses the request’s own id', async () => {
    const { get, asked } = await serve(() => of(head(0)));
    const res = await get('/x', { headers: { 'X-Request-Id': 'from-the-proxy/1' } });
    expect(res.headers['x-request-id']).toBe('from-the-proxy/1');
    expect(asked).toMatchObject([{ id: 'from-the-proxy/1' }]);
  });

  it.each(['', 'a b', 'a,b', '"a"', 'x'.repeat(129), ['a', 'b'], '\xe9'])(
    'uses a new id if the request’s id is malformed: %j',
    async (name) => {
      const { get, asked } = await serve(() => of(head(0)));
      const res = await get('/x', { headers: { 'X-Request-Id': name } });
      expect(res.headers['x-request-id']).toBe('id-1');
      expect(asked).toMatchObject([{ id: 'id-1' }]);
    },
  );

  it('sends none of the identifying fields if they are off', async () => {
    const { get, asked } = await serve(({ path }) => (path === '/x' ? of(head(0)) : throwError(() => lost)), {
      identify: NONE,
    });
    for (const path of ['/x', '/lost'])
      expect(Object.keys((await get(path, { headers: { 'X-Request-Id': 'mine' } })).headers)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(via|cache-status|proxy-status|x-request-id)$/)]),
      );
    expect(asked).toMatchObject([{ id: 'id-1' }, { id: 'id-1' }]);
  });

  it('answers 500 if it cannot write a head, and unsubscribes from the sources', async () => {
    const left = new Subject<void>();
    const leaving = new Promise<void>((resolve) => left.subscribe(resolve));
    const { get, nextServed } = await serve(() =>
      concat(of(head(3, ['X-A', 'a\r\nEvil: 1'])), NEVER).pipe(finalize(() => left.next())),
    );
    const finished = nextServed();
    const res = await get('/x');
    expect(res.statusCode).toBe(500);
    expect(res.headers).not.toHaveProperty('evil');
    await leaving;
    expect(await finished).toMatchObject({ status: 500, error: { code: 'INTERNAL' } });
  });

  it.each([
    ['HTTP/1.1', 3],
    ['HTTP/1.1', undefined],
    ['HTTP/1.0', undefined],
  ])('resets the connection when the body fails: %s, length %s', async (version, length) => {
    const failing = new Subject<StreamEvent>();
    const { raw } = await serve(() => concat(of(head(length), chunk('a')), failing));
    const socket = await raw(`GET /x ${version}\r\nHost: a\r\n\r\n`);
    await once(socket, 'data');
    const broken = once(socket, 'error');
    // A clean end would be the defect: the socket must break with an error instead.
    const ended = once(socket, 'end').then(() => {
      throw new Error('ended cleanly');
    });
    failing.error(lost);
    const [error] = await Promise.race([broken, ended]);
    expect(error).toMatchObject({ code: 'ECONNRESET' });
  });

  it('leaves the stream when the client leaves, and logs 499', async () => {
    const left = new Subject<void>();
    const leaving = new Promise<void>((resolve) => left.subscribe(resolve));
    const { raw, nextServed } = await serve((_, report) =>
      concat(of(head(9), chunk('abc')), NEVER).pipe(
        finalize(() => {
          report({ outcome: 'left', bytes: 3 } as Report);
          left.next();
        }),
      ),
    );
    const socket = await raw('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    const finished = nextServed();
    socket.destroy();
    await leaving;
    const report = { outcome: 'left', bytes: 3 };
    expect(await finished).toMatchObject({ status: 499, target: '/x', client: '127.0.0.1', report });
  });

  it('closes the valve for a client that does not read, and opens it when it does', async () => {
    const piece = bytesOf('x'.repeat(64 * 1024));
    const TOTAL = 400;
    let pushed = 0;
    const closed = new Subject<void>();
    const stuck = new Promise<void>((resolve) => closed.subscribe(resolve));
    const { raw } = await serve(
      ({ valve }) =>
        new Observable((out) => {
          out.next(head(piece.length * TOTAL));
          // Pushes whenever it may, like a source that is always ready.
          const push = () => {
            while (open && pushed < TOTAL && !out.closed) {
              pushed += 1;
              out.next({ type: 'chunk', bytes: piece });
            }
            if (pushed === TOTAL) out.complete();
            else closed.next();
          };
          let open = false;
          return valve.subscribe((state) => {
            const opened = state && !open;
            open = state;
            if (opened) push();
          });
        }),
    );
    const client = await raw('GET /x HTTP/1.0\r\n\r\n');
    client.pause();
    await stuck;
    const whileStuck = pushed;
    expect(whileStuck).toBeLessThan(TOTAL);
    const body = await buffer(client);
    expect(body.length).toBeGreaterThan(piece.length * TOTAL);
    expect(pushed).toBe(TOTAL);
  });

  it('leaves the valve open while the kernel takes what is written', async () => {
    const states: boolean[] = [];
    const { get } = await serve(({ valve }) => {
      valve.subscribe((open) => states.push(open));
      const large = { type: 'chunk', bytes: new Uint8Array(70_000) } as const;
      return from([head(140_001), large, large, chunk('c')]);
    });
    expect((await text(await get('/x'))).length).toBe(140_001);
    expect(states).toEqual([true]);
  });

  it('retains lent bytes until they are written, and releases them then or when the client leaves', async () => {
    let holders = 0;
    const loan = { retain: () => ++holders, release: () => --holders };
    const lent: Chunk = { type: 'chunk', bytes: new Uint8Array(20_000_000), loan };
    for (const reads of [true, false]) {
      const { get, nextServed } = await serve(() => concat(of(head(20_000_001), lent), reads ? of(chunk('c')) : NEVER));
      const served = nextServed();
      const res = await get('/x');
      expect(holders).toBe(1);
      if (reads) expect((await text(res)).length).toBe(20_000_001);
      else res.destroy();
      await served;
      await until(() => holders === 0);
    }
  });

  it('lets running transfers end when stopped, and accepts no new ones', async () => {
    const rest = new Subject<StreamEvent>();
    const { server, get, port } = await serve(() => concat(of(head(2), chunk('a')), rest));
    const res = await get('/x');
    const stopped = server.stop(60_000);
    const refused = connect(port, '127.0.0.1');
    const [error] = await once(refused, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    rest.next(chunk('b'));
    rest.complete();
    expect(await text(res)).toBe('ab');
    await stopped;
  });

  it('does not wait for a connection that is kept alive after its last transfer', async () => {
    const rest = new Subject<StreamEvent>();
    const { server, raw } = await serve(() => concat(of(head(2), chunk('a')), rest));
    const socket = await raw('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    const stopped = server.stop(600_000);
    rest.next(chunk('b'));
    rest.complete();
    await stopped;
    socket.destroy();
  });

  it.each([
    ['HTTP/1.1', 2],
    ['HTTP/1.0', undefined],
  ])('resets transfers that take too long to end when stopped: %s, length %s', async (version, length) => {
    const { server, raw } = await serve(() => concat(of(head(length), chunk('a')), NEVER));
    const socket = await raw(`GET /x ${version}\r\nHost: a\r\n\r\n`);
    await once(socket, 'data');
    const cut = once(socket, 'error');
    // A clean end would be the defect: the body might look complete.
    const ended = once(socket, 'end').then(() => {
      throw new Error('ended cleanly');
    });
    await server.stop(10);
    expect(await Promise.race([cut, ended])).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  it('closes all listeners if one of several addresses is not available', async () => {
    const { port, server } = await serve(() => NEVER);
    const second = createHttpServer({
      fetch: () => NEVER,
      finished: () => {},
      newId: () => '',
      now: () => 0,
      identify: ALL,
      legacyErrors: false,
    });
    await expect(
      second.listen(
        [
          { host: '127.0.0.2', ipv6Only: false },
          { host: '127.0.0.1', ipv6Only: false },
        ],
        port,
      ),
    ).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const refused = connect(port, '127.0.0.2');
    expect(await once(refused, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }]);
    expect(server).toBeDefined();
  });
});

describe('a response whose save request is being written', () => {
  it('goes on with another range, for which the client first has to read this one', async () => {
    const third: Chunk = { type: 'chunk', bytes: Buffer.alloc(16 << 20, 'x') };
    const { get } = await serve(({ valve }) => {
      const another = valve.pipe(
        first((open) => open),
        map(() => third),
      );
      // The second one waits in the socket for the first.
      const one: readonly StreamEvent[] = [head(48 << 20), third, third, { type: 'recorded', unitId: 'u' }];
      return concat(from(one), another);
    });
    const response = await get('/x');
    expect((await buffer(response)).length).toBe(48 << 20);
  });
});
