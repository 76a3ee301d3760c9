import { describe, expect, it } from '@jest/globals';
import type { TestFeed } from '../support/feeds.ts';
import { temporaryFolders } from '../support/folder.ts';
import { digestOfGenerated, generate, serveGenerated } from '../support/generated.ts';
import { sha256 } from '../support/importing.ts';
import { processes, type Start } from '../support/processes.ts';
import { dial, responsesIn } from '../support/raw-http.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

/** More than sockets hold for a client that does not read. */
const CONTENT = generate(1, 32 << 20);

const pathsOf = ({ requests }: TestFeed) => requests.map(({ url }) => url);

/** The bodies of consecutive responses, all of known length. */
const bodiesIn = (received: string): readonly string[] => responsesIn(received, [], true).map(({ body }) => body);

describe('the daemon', () => {
  it('fetches the next four pipelined requests while the first is answered', async () => {
    const small = ['/1', '/2', '/3', '/4', '/5', '/6'].map((path, seed) => [path, generate(seed, 1000)] as const);
    const feed = await startFeed(serveGenerated(new Map([['/large', CONTENT], ...small])));
    const site = makeSite(start, folder());
    for (const path of ['/large', ...small.map(([path]) => path)])
      await site.run('catalog', 'add', path, feed.url + path);
    const daemon = await site.serve();
    const client = dial(Number(new URL(daemon.url).port));
    const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
    await client.send(['/large', ...small.map(([path]) => path)].map(ask).join(''));
    await client.until((received) => received.includes('\r\n\r\n'));
    client.socket.pause();
    await until(() => feed.requests.length >= 5);
    expect(pathsOf(feed).toSorted()).toEqual(['/1', '/2', '/3', '/4', '/large']);
    client.socket.resume();
    await client.until((received) => received.length > CONTENT.size && bodiesIn(received).length === 7);
    const [first = '', ...others] = bodiesIn(client.received());
    expect(sha256(Buffer.from(first, 'latin1'))).toBe(digestOfGenerated(CONTENT));
    expect(others).toEqual(small.map(([, content]) => content.block(0).toString('latin1')));
    expect(pathsOf(feed).toSorted()).toEqual(['/1', '/2', '/3', '/4', '/5', '/6', '/large']);
    client.socket.destroy();
    await daemon.logged('request', { status: 200, path: '/6', outcome: 'complete' });
  });

  it('answers five hundred pipelined requests in order, among silent connections for which it has too few files', async () => {
    const files = Array.from({ length: 20 }, (_, seed) => [`/${seed}`, generate(seed, 100)] as const);
    const feed = await startFeed(serveGenerated(new Map(files)));
    const few: Start = (command, args, options) =>
      start('sh', ['-c', 'ulimit -n 256 && exec "$@"', '', command, ...args], options);
    const site = makeSite(few, folder());
    for (const [path] of files) await site.run('catalog', 'add', path, feed.url + path);
    const daemon = await site.serve();
    await daemon.logged('limits lowered, the limit of open files is too low for them', {
      openFiles: 256,
      connections: 64,
    });
    const port = Number(new URL(daemon.url).port);
    const silent = Array.from({ length: 300 }, () => dial(port));
    await Promise.all(silent.slice(0, 230).map(({ ended }) => ended));

    const asked = Array.from({ length: 500 }, (_, at) => files[(at * 7) % files.length] ?? files[0]);
    const newcomer = dial(port);
    await newcomer.send(asked.map((file) => `GET ${file?.[0]} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    await newcomer.until((received) => responsesIn(received, [], false).length === asked.length);
    expect(bodiesIn(newcomer.received())).toEqual(asked.map((file) => file?.[1].block(0).toString('latin1')));
    for (const { socket } of [newcomer, ...silent]) socket.destroy();
  });

  it('enforces the limits of its settings, and logs the clients that exceed them', async () => {
    const feed = await startFeed(serveGenerated(new Map([['/large', CONTENT]])));
    const site = makeSite(start, folder(), {
      max_transfers: '1',
      max_target_length: '256',
      max_header_size: '1024',
      request_timeout: '300ms',
    });
    await site.run('catalog', 'add', '/large', `${feed.url}/large`);
    const daemon = await site.serve();
    const port = Number(new URL(daemon.url).port);
    const ask = async (bytes: string) => {
      const client = dial(port);
      await client.send(bytes);
      await client.ended;
      return responsesIn(client.received(), [], true).map(({ status }) => status);
    };

    const running = dial(port);
    await running.send('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
    await running.until((received) => received.includes('\r\n\r\n'));
    running.socket.pause();
    expect(await ask('GET /large HTTP/1.0\r\n\r\n')).toEqual([503]);
    expect(await ask(`GET /${'x'.repeat(256)} HTTP/1.0\r\n\r\n`)).toEqual([414]);
    expect(await ask(`GET / HTTP/1.0\r\nX: ${'x'.repeat(1024)}\r\n\r\n`)).toEqual([431]);
    expect(await ask('GET / HTTP/1.0\r\n')).toEqual([408]);
    running.socket.resume();
    await running.until((received) => received.length > CONTENT.size);
    running.socket.destroy();

    await daemon.logged('request', { status: 503, path: '/large', code: 'OVERLOADED', client: '127.0.0.1' });
    await daemon.logged('request', { status: 408, path: '', code: 'REQUEST_TIMEOUT', client: '127.0.0.1' });
    await daemon.logged('request', { status: 200, path: '/large', outcome: 'complete' });
    expect((await daemon.stop()).status).toBe(0);
  });
});
