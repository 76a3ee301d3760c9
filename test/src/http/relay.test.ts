import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { concat, filter, from, interval, map, NEVER, type Observable, of, throwError } from 'rxjs';
import { StreamError, type StreamEvent } from '../../../pipelines/index.ts';
import { Gate } from '../../../pipelines/operators/valve.ts';
import { createRequests } from '../../../src/app/workers/requests.ts';
import type { HttpServer } from '../../../src/http/listeners.ts';
import { createHttpServer } from '../../../src/http/server.ts';
import type { ClientRequest, ServerOptions } from '../../../src/http/server-options.ts';
import type { FinishedRequest } from '../../../src/lib/finished-request.ts';
import { temporaryFolders } from '../../support/folder.ts';
import { aCandidate, chunk, entryOf, headOf } from '../../support/pipeline.ts';
import { dial } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

const folder = temporaryFolders();
const candidate = aCandidate('feed', entryOf('abc'));
const head = (length?: number) => headOf(candidate, { length });

const running: HttpServer[] = [];
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop(0)));
  await Promise.all(closing.splice(0).map((close) => close()));
});

type Answer = (request: ClientRequest) => Observable<StreamEvent>;

const serverOf = (name: string, answer: Answer, relays?: ServerOptions['relays']) => {
  const asked: ClientRequest[] = [];
  const finished: FinishedRequest[] = [];
  const server = createHttpServer({
    fetch: (one) => {
      asked.push(one);
      return answer(one);
    },
    clientOf: ({ socket, headers }) => headers['x-real-ip']?.toString() ?? socket.remoteAddress ?? '',
    askedAs: ({ headers }) => `http://${headers.host}`,
    finished: (one) => finished.push(one),
    newId: () => name,
    now: () => performance.now(),
    identify: { via: true, cacheStatus: true, proxyStatus: true, requestId: true },
    legacyErrors: false,
    relays,
  });
  running.push(server);
  return { server, asked, finished };
};

/** Two processes in one: the first accepts, the second owns all paths. */
const serve = async (answer: Answer, own: Answer = () => NEVER) => {
  const socketPath = join(folder(), 'owner.sock');
  const requests = createRequests();
  closing.push(requests.close);
  const owner = serverOf('owner', answer);
  const front = serverOf('front', own, { ownerOf: () => socketPath, send: requests.send });
  const relayed = owner.server.forRelays();
  running.push(relayed);
  await relayed.listenAt(socketPath);
  const [address] = await front.server.listen([{ host: '127.0.0.1', ipv6Only: false }], 0);
  const port = address?.port ?? 0;
  const ask = async (options: object = {}): Promise<IncomingMessage> => {
    const asking = request({ port, path: '/a', agent: false, ...options }).end();
    const [response] = await once(asking, 'response');
    // A reset is reported here as well.
    asking.on('error', () => {});
    return response;
  };
  return { owner, front, relayed, port, ask };
};

const whole = (...texts: string[]) => concat(of(head(texts.join('').length)), from(texts).pipe(map(chunk)));

describe('a relayed request', () => {
  it('is answered by its owner, with the address and the fields of the client, and reported there alone', async () => {
    const { owner, front, ask } = await serve(() => whole('ab', 'c'));
    const headers = {
      Range: 'bytes=0-1',
      Host: 'example.org',
      'X-Request-Id': 'mine',
      'pulp-streamer-relayed': '1.1 6.6.6.6',
    };
    const response = await ask({ headers, path: '/caf\xc3\xa9' });
    expect([response.statusCode, await text(response)]).toEqual([200, 'abc']);
    expect(response.headers).toMatchObject({ 'x-request-id': 'mine', via: '1.1 pulp-streamer', 'content-length': '3' });
    const [asked] = owner.asked;
    expect(asked).toMatchObject({ path: '/café', client: '127.0.0.1', ranges: [{ first: 0, last: 1 }] });
    expect(asked?.askedAs?.()).toBe('http://example.org');
    await until(() => owner.finished.length === 1);
    expect(owner.finished).toMatchObject([{ id: 'mine', target: '/café', status: 200, client: '127.0.0.1' }]);
    expect([front.asked, front.finished]).toEqual([[], []]);
  });

  it('is one of many on the connections of client and owner', async () => {
    const { owner, relayed, port } = await serve(({ path }) => whole(path));
    const client = dial(port);
    client.socket.write(['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    await until(() => client.received().endsWith('/3'));
    expect(client.received().match(/\/\d(?=HTTP|$)/g)).toEqual(['/1', '/2', '/3']);
    expect(owner.asked).toHaveLength(3);
    expect(relayed.load().connections).toBe(1);
    client.socket.destroy();
  });

  it('passes no faster than its client reads', async () => {
    let sent = 0;
    const block = chunk('x'.repeat(65_536));
    const { ask, owner } = await serve(({ valve }) =>
      concat(
        of(head(1 << 30)),
        interval(0).pipe(
          filter(() => valve instanceof Gate && valve.value),
          map(() => {
            sent += block.bytes.length;
            return block;
          }),
        ),
      ),
    );
    const response = await ask();
    // The client reads nothing: the buffers of two connections fill, of a gibibyte.
    const [asked] = owner.asked;
    const isPaused = () => asked?.valve instanceof Gate && !asked.valve.value;
    await until(() => sent > 1 << 20 && isPaused());
    expect(sent).toBeLessThan(64 << 20);
    response.destroy();
    await until(() => owner.finished.length === 1);
    expect(owner.finished).toMatchObject([{ status: 499 }]);
  });

  it('has all its bytes for a client that pauses: what was read is held until it is written', async () => {
    const content = randomBytes(4 << 20);
    const { ask } = await serve(() => concat(of(head(content.length)), of({ type: 'chunk' as const, bytes: content })));
    const response = await ask();
    const received: Buffer[] = [];
    for await (const bytes of response) {
      received.push(bytes);
      // Other work of both processes comes between.
      await setImmediate();
    }
    expect(Buffer.concat(received).equals(content)).toBe(true);
  });

  it.each([3, undefined])(
    'breaks off with its owner (length %s): no client takes a part for the whole',
    async (length) => {
      const { ask, relayed } = await serve(() => concat(of(head(length)), of(chunk('ab')), NEVER));
      const response = await ask();
      await once(response, 'readable');
      const broken = buffer(response).then(
        () => 'complete',
        (error: NodeJS.ErrnoException) => error.code,
      );
      await relayed.stop(0);
      expect(await broken).toBe('ECONNRESET');
    },
  );

  it('is reset, and not repeated, if its owner fails after a head that it has not sent yet', async () => {
    const failing = () =>
      concat(
        of(head(3)),
        throwError(() => new StreamError('WRONG_CHECKSUM', 'feed', 'wrong')),
      );
    const { ask, owner, front } = await serve(({ path }) => (path === '/a' ? whole('abc') : failing()));
    // Its connection is kept.
    expect(await text(await ask())).toBe('abc');
    const response = await ask({ path: '/b' }).catch((error: NodeJS.ErrnoException) => error.code);
    const outcome = typeof response === 'object' ? await text(response).catch(({ code }) => code) : response;
    expect(outcome).toBe('ECONNRESET');
    expect(owner.asked.map(({ path }) => path)).toEqual(['/a', '/b']);
    expect(front.asked).toEqual([]);
  });

  it('of HTTP/1.0 is reset, not ended, if its owner breaks off', async () => {
    const { port, relayed, owner } = await serve(() => concat(of(head()), of(chunk('ab')), NEVER));
    const client = dial(port);
    client.socket.write('GET /a HTTP/1.0\r\n\r\n');
    await until(() => client.received().endsWith('ab'));
    expect(owner.asked[0]?.askedAs?.()).toBe('http://');
    await relayed.stop(0);
    expect(await client.ended).toBe('reset');
  });

  it('is answered where it came in if its owner cannot be reached, also on a connection that was used before', async () => {
    const { ask, relayed, front } = await serve(
      () => whole('owner'),
      () => whole('front'),
    );
    expect(await text(await ask())).toBe('owner');
    await relayed.stop(0);
    expect(await text(await ask())).toBe('front');
    expect(front.asked).toHaveLength(1);
  });

  it('that is malformed is refused where it came in', async () => {
    const { port, owner, front } = await serve(() => whole('abc'));
    const client = dial(port);
    client.socket.write('GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
    await until(() => client.received().includes('400 Bad Request'));
    expect([owner.asked.length, front.finished.length]).toEqual([0, 1]);
    client.socket.destroy();
  });
});
