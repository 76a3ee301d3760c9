import { describe, expect, it, jest } from '@jest/globals';
import { temporaryFolders } from '../support/folder.ts';
import { generate, serveGenerated } from '../support/generated.ts';
import { processes } from '../support/processes.ts';
import { dial, responsesIn } from '../support/raw-http.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';

jest.setTimeout(60_000); // real processes, on machines that may be busy

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

/** More than sockets take while nobody reads. */
const CONTENT = generate(1, 32 << 20);

describe('the daemon', () => {
  it('keeps to the limits of its settings, and says in its log who met them', async () => {
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
