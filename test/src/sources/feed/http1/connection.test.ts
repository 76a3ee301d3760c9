import { connect, createServer as createTcp, type Socket } from 'node:net';
import { createServer as createTls, type SecureVersion, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { filter, firstValueFrom } from 'rxjs';
import { OPEN } from '../../../../../pipelines/operators/valve.ts';
import { createFeed, type FeedSettings } from '../../../../../src/sources/feed/open.ts';
import { createCertificates } from '../../../../support/certificates.ts';
import { anAsk, at, collect, failureOf } from '../../../../support/collect.ts';
import { feedSettings } from '../../../../support/feed-settings.ts';
import { startOn, startRaw, type TestFeed } from '../../../../support/feeds.ts';
import { until } from '../../../../support/until.ts';

const answer = (more = '') => `HTTP/1.1 200 OK\r\n${more}Content-Length: 2\r\n\r\nhi`;
/** The type of a record of TLS that is an alert. */
const ALERT = 21;

/** The types of TLS records, each of which begins with type, version and length. */
const recordsOf = (bytes: Buffer): readonly number[] =>
  bytes.length < 5 ? [] : [bytes[0] ?? 0, ...recordsOf(bytes.subarray(5 + bytes.readUInt16BE(3)))];

const HI = { body: Buffer.from('hi') };

describe('a connection of our own client', () => {
  const cleanUps: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });
  const make = (more?: Partial<FeedSettings>) => {
    const feed = createFeed(feedSettings(more));
    cleanUps.push(feed.close);
    return feed;
  };
  const keep = async (making: Promise<TestFeed>): Promise<TestFeed> => {
    const server = await making;
    cleanUps.push(server.close);
    return server;
  };
  /** Answers each request by its number on its connection. */
  const start = (speak: (socket: Socket, request: number, text: string) => void) =>
    keep(
      startRaw((socket) => {
        let count = 0;
        socket.on('data', (text: Buffer) => {
          count += 1;
          speak(socket, count, text.toString());
        });
      }),
    );

  it.each(['end', 'destroy', 'resetAndDestroy'] as const)(
    'that was kept is replaced if it ends without an answer: %s',
    async (how) => {
      const server = await start((socket, request) => (request === 1 ? socket.write(answer()) : socket[how]()));
      const feed = make();
      for (let round = 0; round < 3; round += 1)
        await expect(collect(feed.open(at(server.url), anAsk()))).resolves.toMatchObject(HI);
      expect(server.connections.made).toBe(3);
    },
  );

  it('is replaced only once', async () => {
    const server = await start((socket, request) =>
      request === 1 && server.connections.made === 1 ? socket.write(answer()) : socket.destroy(),
    );
    const feed = make();
    await collect(feed.open(at(server.url), anAsk()));
    await expect(failureOf(feed.open(at(server.url), anAsk()))).resolves.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(server.connections.made).toBe(2);
  });

  it('is not kept longer than the server does', async () => {
    const server = await start((socket) => socket.write(answer('Keep-Alive: timeout=0, max=5\r\n')));
    await collect(make({ idleTimeout: 1_000_000 }).open(at(server.url), anAsk()));
    await until(() => server.connections.open.size === 0);
  });

  it('is closed if it is unused, however often it was used before', async () => {
    const server = await start((socket) => socket.write(answer()));
    const feed = make({ idleTimeout: 50 });
    for (let round = 0; round < 5; round += 1) await collect(feed.open(at(server.url), anAsk()));
    expect(server.connections.made).toBe(1);
    await until(() => server.connections.open.size === 0);
  });

  it('sends one request as it stands', async () => {
    const texts: string[] = [];
    const server = await start((socket, _, text) => {
      texts.push(text);
      socket.write(answer());
    });
    const access = {
      headers: [
        ['X', 'é'],
        ['Host', 'other.test'],
      ] as const,
    };
    await collect(make().open(at(`${server.url}/a%20b?c`, { access }), anAsk({ from: 1 }))).catch(() => {});
    expect(texts).toEqual([
      [
        'GET /a%20b?c HTTP/1.1',
        'connection: keep-alive',
        'User-Agent: pulp-streamer/test',
        'Accept: */*',
        'Accept-Encoding: identity',
        'X: \u{fffd}',
        'host: other.test',
        'Range: bytes=1-',
        '',
        '',
      ].join('\r\n'),
    ]);
  });

  it.each(['Connection', 'Content-Length', 'Expect', 'Keep-Alive', 'Transfer-Encoding', 'Upgrade', 'A b', ''])(
    'sends no field that belongs to itself, or that is malformed: %j',
    async (name) => {
      const events = make().open(at('http://127.0.0.1:1/x', { access: { headers: [[name, '1']] } }), anAsk());
      await expect(failureOf(events)).resolves.toMatchObject({ code: 'SOURCE_BROKEN' });
    },
  );

  describe.each<SecureVersion>(['TLSv1.2', 'TLSv1.3'])('over %s', (version) => {
    /** Speaks TLS on connections that the test can end below TLS. */
    const startTls = async (speak: (socket: TLSSocket, tcp: Socket, request: number) => void) => {
      const { authority, server } = await createCertificates();
      let count = 0;
      const inner = createTls({ ...server, maxVersion: version, minVersion: version });
      const tcps: Socket[] = [];
      inner.on('secureConnection', (socket) => {
        const tcp = tcps.at(-1) as Socket;
        socket.on('error', () => {});
        socket.on('data', () => {
          count += 1;
          speak(socket, tcp, count);
        });
      });
      const outer = await keep(
        startOn(
          createTcp((tcp) => {
            tcps.push(tcp);
            inner.emit('connection', tcp);
          }),
        ),
      );
      return { url: outer.url.replace('http:', 'https:'), ca: authority.cert, connections: outer.connections, inner };
    };
    const UNTIL_END = 'HTTP/1.1 200 OK\r\n\r\nhi';

    it.each([
      ['together with the last bytes', (socket: TLSSocket) => socket.end(UNTIL_END)],
      [
        'after the last bytes',
        (socket: TLSSocket) => socket.write(UNTIL_END, () => setTimeout(() => socket.end(), 30)),
      ],
    ])('ends a body without a length by an end of TLS: %s', async (_, speak) => {
      const { url, ca } = await startTls(speak);
      await expect(collect(make().open(at(url, { access: { ca } }), anAsk()))).resolves.toMatchObject(HI);
    });

    it('does not end such a body by an end of TCP alone', async () => {
      const { url, ca } = await startTls((socket, tcp) =>
        socket.write(UNTIL_END, () => setTimeout(() => tcp.end(), 30)),
      );
      await expect(failureOf(make().open(at(url, { access: { ca } }), anAsk()))).resolves.toMatchObject({
        code: 'CONNECTION_LOST',
      });
    });

    // Only TLS 1.2 shows what its records are.
    if (version === 'TLSv1.2')
      it.each([
        ['after it was used', answer()],
        ['within a body', 'HTTP/1.1 200 OK\r\n\r\nhi'],
      ])('ends TLS before it is closed: %s', async (_, text) => {
        const { url, ca } = await startTls((socket) => socket.write(text));
        const { port } = new URL(url);
        const sent: Buffer[] = [];
        const relay = await keep(
          startRaw((near) => {
            const far = connect(Number(port), '127.0.0.1');
            near
              .on('data', (bytes: Buffer) => sent.push(bytes))
              .pipe(far)
              .pipe(near);
            far.on('error', () => near.destroy());
          }),
        );
        const feed = make();
        const events = feed.open(at(relay.url.replace('http:', 'https:'), { access: { ca } }), anAsk());
        await firstValueFrom(events(OPEN).pipe(filter(({ type }) => type === 'chunk')));
        await feed.close();
        await relay.quiet();
        expect(recordsOf(Buffer.concat(sent)).at(-1)).toBe(ALERT);
      });

    it('resumes the session of the one before', async () => {
      const reused: boolean[] = [];
      const { url, ca, inner } = await startTls((socket) => socket.end(answer('Connection: close\r\n')));
      inner.on('secureConnection', (socket) => reused.push(socket.isSessionReused()));
      const feed = make();
      for (let round = 0; round < 3; round += 1)
        await expect(collect(feed.open(at(url, { access: { ca } }), anAsk()))).resolves.toMatchObject(HI);
      expect(reused).toEqual([false, true, true]);
    });
  });

  it('names the server’s host in the handshake, but not its address, and offers HTTP/1.1', async () => {
    const { authority, server } = await createCertificates();
    const seen: unknown[] = [];
    const tls = createTls({ ...server, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
      seen.push([socket.servername, socket.alpnProtocol]);
      socket.on('error', () => {});
      socket.on('data', () => socket.write(answer()));
    });
    const { port } = await keep(startOn(tls));
    const feed = make();
    for (const host of ['localhost', '127.0.0.1'])
      await collect(feed.open(at(`https://${host}:${port}/`, { access: { ca: authority.cert } }), anAsk()));
    expect(seen).toEqual([
      ['localhost', 'http/1.1'],
      [false, 'http/1.1'],
    ]);
  });
});
