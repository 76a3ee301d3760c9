import type { Socket } from 'node:net';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { Ask } from '../../../../pipelines/model/index.ts';
import { createFeed } from '../../../../src/sources/feed/open.ts';
import { anAsk, at, collect, failureOf } from '../../../support/collect.ts';
import { FEED_CLIENTS, feedClient } from '../../../support/feed-clients.ts';
import { feedSettings } from '../../../support/feed-settings.ts';
import { startRaw, type TestFeed } from '../../../support/feeds.ts';
import { until } from '../../../support/until.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const NEXT = `${OK}Content-Length: 4\r\n\r\nnext`;
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

/**
 * A response, what is read of it, and whether its connection is used again. `own`: only our own
 * client does so; undici is more tolerant of what is wrong, and less of what is allowed, for the
 * given reason.
 */
interface Case {
  readonly bytes: string;
  readonly ask?: Partial<Ask>;
  /** The server ends the connection after it. */
  readonly ends?: boolean;
  readonly body?: string;
  readonly code?: string;
  readonly reused?: boolean | 'own';
  readonly own?: true | RegExp;
}

const head = { ask: { method: 'HEAD' }, body: '' } as const;

// biome-ignore format: a table has one line a row
const READ: Readonly<Record<string, Case>> = {
  'a length': { bytes: `${OK}Content-Length: 2\r\n\r\nhi`, body: 'hi', reused: true },
  'a length of zero': { bytes: `${OK}Content-Length: 0\r\n\r\n`, body: '', reused: true },
  'a length with zeros before it': { bytes: `${OK}Content-Length: 002\r\n\r\nhi`, body: 'hi', reused: true },
  'the same length twice': { bytes: `${OK}Content-Length: 2\r\ncontent-length: 2\r\n\r\nhi`, body: 'hi', reused: true, own: /states the length twice/ },
  'the same length in one list': { bytes: `${OK}Content-Length: 2, 2\r\n\r\nhi`, body: 'hi', reused: true, own: /states the length twice/ },
  'no reason phrase': { bytes: 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi', body: 'hi', reused: true },
  'no space after the status': { bytes: 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi', body: 'hi', reused: true },
  'empty and padded values': { bytes: `${OK}X:\r\nY: \t \r\nZ: \t 1 \t\r\nContent-Length: 2\r\n\r\nhi`, body: 'hi', reused: true },
  'a length between spaces': { bytes: `${OK}Content-Length: \t 2 \t \r\n\r\nhi`, body: 'hi', reused: true, own: /the head is malformed/ },
  'chunks': { bytes: `${CHUNKED}3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n`, body: 'abc0123456789', reused: true },
  'chunks without content': { bytes: `${CHUNKED}000\r\n\r\n`, body: '', reused: true },
  'chunks with extensions': { bytes: `${CHUNKED}3;a=b;c="d e"\r\nabc\r\n0;x\r\n\r\n`, body: 'abc', reused: true },
  'chunks with trailers': { bytes: `${CHUNKED}3\r\nabc\r\n0\r\nX: 1\r\nY: 2\r\n\r\n`, body: 'abc', reused: true },
  'a length among trailers': { bytes: `${CHUNKED}3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n`, body: 'abc', reused: true, own: /Content-Length can.t be present with Transfer-Encoding/ },
  'chunks by any case': { bytes: `${OK}transfer-encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`, body: 'abc', reused: true },
  'a 100 nobody waits for': { bytes: `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 2\r\n\r\nhi`, body: 'hi', reused: true, own: /sends 100 Continue, which was not requested and is not read through a proxy/ },
  'interim responses': { bytes: `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n\r\n${OK}Content-Length: 2\r\n\r\nhi`, body: 'hi', reused: true },
  'a head alone, with a length': { bytes: `${OK}Content-Length: 1000\r\n\r\n`, ...head, reused: 'own' },
  'a head alone, with chunks': { bytes: CHUNKED, ...head, reused: 'own' },
  'a head alone, without a length': { bytes: `${OK}X: 1\r\n\r\n`, ...head, reused: 'own' },
  'a later minor version': { bytes: 'HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nhi', body: 'hi', reused: true, own: /Invalid HTTP version/ },
  'HTTP/1.0 with a length': { bytes: 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi', body: 'hi', reused: false },
  'HTTP/1.0 kept alive': { bytes: 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi', body: 'hi', reused: true },
  'HTTP/1.0 until the end': { bytes: 'HTTP/1.0 200 OK\r\n\r\nhi', ends: true, body: 'hi', reused: false },
  'HTTP/1.1 until the end': { bytes: `${OK}\r\nhi`, ends: true, body: 'hi', reused: false },
  'nothing until the end': { bytes: `${OK}\r\n`, ends: true, body: '', reused: false },
  'the announced end': { bytes: `${OK}Connection: close\r\nContent-Length: 2\r\n\r\nhi`, body: 'hi', reused: false },
  'the end announced between empty elements': { bytes: `${OK}Connection: ,, Close,\r\nContent-Length: 2\r\n\r\nhi`, body: 'hi', reused: false },
  'the end announced in a list': { bytes: `${OK}Connection: x, Close\r\nContent-Length: 2\r\n\r\nhi`, body: 'hi', reused: false },
  'no content': { bytes: 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', code: 'SOURCE_STATUS', reused: 'own' },
  'nothing new': { bytes: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', code: 'SOURCE_STATUS', reused: 'own' },
  'a short refusal': { bytes: 'HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone', code: 'SOURCE_MISSING', reused: true },
  'a refusal without a length': { bytes: 'HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngone\r\n', code: 'SOURCE_MISSING', reused: false },
  'bytes after the body': { bytes: `${OK}Content-Length: 2\r\n\r\nhi!`, body: 'hi', reused: false },
  'a second response nobody asked for': { bytes: `${OK}Content-Length: 2\r\n\r\nhi${OK}Content-Length: 4\r\n\r\nevil`, body: 'hi', reused: false },
  'a second response after a head': { bytes: `${OK}Content-Length: 4\r\n\r\nevil`, ...head, reused: false },
  'a second response after the last chunk': { bytes: `${CHUNKED}1\r\na\r\n0\r\n\r\n${OK}Content-Length: 4\r\n\r\nevil`, body: 'a', reused: false },
};

const fields = (text: string): Case => ({ bytes: `${OK}${text}\r\n\r\n`, code: 'PROTOCOL_ERROR' });
const chunks = (text: string): Case => ({ bytes: CHUNKED + text, code: 'PROTOCOL_ERROR' });
const first = (text: string): Case => ({ bytes: `${text}\r\nContent-Length: 0\r\n\r\n`, code: 'PROTOCOL_ERROR' });
const alone = (refused: Case): Case => ({ ...refused, own: true });

// biome-ignore format: a table has one line a row
const REFUSED: Readonly<Record<string, Case>> = {
  'a folded line': fields('X: 1\r\n 2\r\nContent-Length: 0'),
  'a folded first line': fields(' X: 1\r\nContent-Length: 0'),
  'whitespace before the colon': fields('Content-Length : 0'),
  'a line without a colon': fields('X\r\nContent-Length: 0'),
  'a field without a name': fields(': 1\r\nContent-Length: 0'),
  'a name that is not a token': fields('X(: 1\r\nContent-Length: 0'),
  'a bare LF after the status': { bytes: 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n', code: 'PROTOCOL_ERROR' },
  'a bare LF after a field': fields('X: 1\nContent-Length: 0'),
  'a bare LF as the empty line': { bytes: `${OK}Content-Length: 0\r\n\n`, code: 'PROTOCOL_ERROR' },
  'a bare CR in a value': fields('X: 1\r2\r\nContent-Length: 0'),
  'a NUL in a value': fields('X: 1\x002\r\nContent-Length: 0'),
  'a length and chunks': fields('Content-Length: 0\r\nTransfer-Encoding: chunked'),
  'different lengths': fields('Content-Length: 0\r\nContent-Length: 1'),
  'different lengths in one list': fields('Content-Length: 0, 1'),
  'a length that is empty': fields('Content-Length:'),
  'a length with a sign': fields('Content-Length: +1'),
  'a negative length': fields('Content-Length: -1'),
  'a length in hexadecimal': fields('Content-Length: 0x1'),
  'a length that is too large': fields('Content-Length: 99999999999999999999'),
  'a coding beside chunks': fields('Transfer-Encoding: gzip, chunked'),
  'another coding': fields('Transfer-Encoding: gzip'),
  'chunks twice': fields('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
  'chunks of HTTP/1.0': alone({ bytes: 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', code: 'PROTOCOL_ERROR', body: '' }),
  'another protocol': first('ICY 200 OK'),
  'another version': first('HTTP/3.1 200 OK'),
  'another protocol from now on': first('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x'),
  'a status of two digits': first('HTTP/1.1 20 OK'),
  'a status of four digits': first('HTTP/1.1 2000 OK'),
  'a status that is no number': first('HTTP/1.1 OK'),
  'too many interim responses': { bytes: 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100) + NEXT, code: 'PROTOCOL_ERROR' },
  'a chunk’s size that is empty': chunks('\r\nabc'),
  'a chunk’s size after a space': chunks(' 3\r\nabc\r\n'),
  'a chunk’s size with a space after': chunks('3 \r\nabc\r\n'),
  'a chunk’s size with 0x': chunks('0x3\r\nabc\r\n'),
  'a negative chunk’s size': chunks('-3\r\nabc\r\n'),
  'a chunk’s size beyond 64 bits': chunks('10000000000000003\r\nabc\r\n'),
  'a chunk’s size beyond 53 bits': alone(chunks('fffffffffffffff\r\nabc\r\n')),
  'a bare LF after a chunk’s size': chunks('3\nabc\r\n'),
  'a chunk longer than its size': chunks('3\r\nabcd\r\n0\r\n\r\n'),
  'a bare LF after a chunk': chunks('3\r\nabc\n0\r\n\r\n'),
  'a control character in an extension': chunks('3;a\x01\r\nabc\r\n'),
  'a long extension': alone({ ...chunks(`3;${'x'.repeat(10_000)}\r\nabc\r\n0\r\n\r\n`), body: 'abc' }),
  'a malformed trailer': chunks('0\r\nno colon\r\n\r\n'),
  'long trailers': chunks(`0\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
};

describe.each(FEED_CLIENTS)('an HTTP/1 response, %s', (client) => {
  const feed = feedClient(client)(createFeed(feedSettings({ idleTimeout: 1_000_000 })));
  const started: TestFeed[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((server) => server.close()));
  });
  afterAll(() => feed.close());

  /** Answers each request by its number, also across connections. */
  const start = async (answer: (socket: Socket, request: number) => void): Promise<TestFeed> => {
    let count = 0;
    const server = await startRaw((socket) =>
      socket.on('data', () => {
        count += 1;
        answer(socket, count);
      }),
    );
    started.push(server);
    return server;
  };
  const startCase = ({ bytes, ends }: Case) =>
    start((socket, request) => {
      socket.write(request === 1 ? bytes : NEXT, 'latin1');
      if (request === 1 && ends) socket.end();
    });
  const open = (server: TestFeed, ask: Partial<Ask> = {}) => feed.open(at(server.url), anAsk(ask));
  const isOwn = client === FEED_CLIENTS[0];
  const mine = (cases: Readonly<Record<string, Case>>) =>
    Object.entries(cases).filter(([, { own: alone }]) => isOwn || !alone);

  it.each(mine(READ))('is read: %s', async (_, one) => {
    const server = await startCase(one);
    const events = open(server, one.ask);
    if (one.code) await expect(failureOf(events)).resolves.toMatchObject({ code: one.code });
    else expect((await collect(events)).body.toString()).toBe(one.body);
    expect((await collect(open(server))).body.toString()).toBe('next');
    expect(server.connections.made).toBe(one.reused === true || (one.reused && isOwn) ? 1 : 2);
  });

  it.each(mine(REFUSED))('is refused, and its connection closed: %s', async (_, one) => {
    const server = await startCase(one);
    await expect(failureOf(open(server, one.ask))).resolves.toMatchObject({ code: one.code });
    await until(() => server.connections.open.size === 0);
    expect((await collect(open(server))).body.toString()).toBe('next');
  });

  // What undici refuses although it may be read, and reads although it is wrong.
  if (!isOwn) {
    it.each(Object.entries(READ).filter(([, { own }]) => own))(
      'is refused through a proxy alone, with the reason: %s',
      async (_, one) => {
        const server = await startCase(one);
        const message = expect.stringMatching(one.own as RegExp);
        await expect(failureOf(open(server, one.ask))).resolves.toMatchObject({ code: 'PROTOCOL_ERROR', message });
      },
    );

    it.each(Object.entries(REFUSED).filter(([, { body }]) => body !== undefined))(
      'is read through a proxy alone: %s',
      async (_, one) => {
        const server = await startCase(one);
        expect((await collect(open(server))).body.toString()).toBe(one.body);
      },
    );
  }

  it.each(Object.entries(READ).filter(([, { code, own: alone }]) => !code && (isOwn || !alone)))(
    'is read byte by byte: %s',
    async (_, one) => {
      const server = await start((socket, request) => {
        if (request > 1) return socket.write(NEXT);
        socket.setNoDelay(true);
        const send = (from: number) => {
          if (from < one.bytes.length)
            socket.write(one.bytes.slice(from, from + 1), 'latin1', () => setImmediate(send, from + 1));
          else if (one.ends) socket.end();
        };
        return send(0);
      });
      expect((await collect(open(server, one.ask))).body.toString()).toBe(one.body);
    },
  );

  it('is not taken from what came before the request', async () => {
    const late = `${OK}Content-Length: 4\r\n\r\nevil`;
    const server = await start((socket, request) => {
      socket.write(NEXT);
      if (request === 1) setImmediate(() => socket.write(late));
    });
    await collect(open(server));
    await until(() => server.connections.open.size === 0);
    expect((await collect(open(server))).body.toString()).toBe('next');
  });

  it('comes over a new connection if the server closed the kept one with a last word', async () => {
    const server = await start((socket, request) => {
      socket.write(NEXT);
      if (request === 1) setImmediate(() => socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'));
    });
    await collect(open(server));
    await until(() => server.connections.open.size === 0);
    expect((await collect(open(server))).body.toString()).toBe('next');
  });

  // undici takes them for a malformed response.
  if (isOwn)
    it('comes over a new connection if bytes of the previous one are in its place', async () => {
      const server = await start((socket, request) => socket.write(request === 2 ? `left over${NEXT}` : NEXT));
      await collect(open(server));
      expect((await collect(open(server))).body.toString()).toBe('next');
      expect(server.connections.made).toBe(2);
    });

  it('is asked for once over a new connection', async () => {
    const server = await start((socket, request) => socket.write(request === 1 ? NEXT : `not HTTP${NEXT}`));
    await collect(open(server));
    await expect(failureOf(open(server))).resolves.toMatchObject({ code: 'PROTOCOL_ERROR' });
    expect(server.connections.made).toBe(isOwn ? 2 : 1);
  });

  it.each(['end', 'destroy', 'resetAndDestroy'] as const)(
    'fails if a new connection ends without one: %s',
    async (how) => {
      const server = await start((socket) => socket[how]());
      await expect(failureOf(open(server))).resolves.toMatchObject({ code: 'CONNECTION_LOST' });
      expect(server.connections.made).toBe(1);
    },
  );

  it('fails if a kept connection ends within it', async () => {
    const server = await start((socket, request) => (request === 1 ? socket.write(NEXT) : socket.end('HTTP/1.1 2')));
    await collect(open(server));
    await expect(failureOf(open(server))).resolves.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(server.connections.made).toBe(1);
  });

  it('is not complete if a reset ends it that has no length', async () => {
    const server = await start((socket) => socket.write(`${OK}\r\nhi`, () => socket.resetAndDestroy()));
    await expect(failureOf(open(server))).resolves.toMatchObject({ code: 'CONNECTION_LOST' });
  });
});
