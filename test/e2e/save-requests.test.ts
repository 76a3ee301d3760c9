import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { receive } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { closedPort, serveContents } from '../support/feeds.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

// More than the buffers for a client that does not read.
const CONTENT = someBytes(32 << 20);

const serve = async (settings: Readonly<Record<string, string | number>>) => {
  const asked: string[] = [];
  const contents = serveContents(new Map([['/a.iso', CONTENT]]));
  const feed = await startFeed((request, response) => {
    asked.push(request.headers.range ?? 'whole');
    return contents(request, response);
  });
  const site = makeSite(start, folder(), settings);
  await site.run('catalog', 'add', '/a.iso', `${feed.url}/a.iso`, '--checksum', `sha256:${digestOf(CONTENT)}`);
  const daemon = await site.serve();
  return { url: `${daemon.url}/a.iso`, asked, site, daemon };
};

const head = async (url: string, headers = {}): Promise<IncomingMessage> => {
  const [response] = await once(get(url, { agent: false, headers }), 'response');
  return response;
};

describe.each([1, 2])('the copy of a path, with %s worker(s)', (workers) => {
  it('with save_partial: is complete after a range was served', async () => {
    const { url, asked, daemon } = await serve({ workers, save_partial: 'yes' });
    const part = await head(url, { Range: 'bytes=100-199' });
    expect(part.statusCode).toBe(206);
    expect(Buffer.concat(await part.toArray()).equals(CONTENT.subarray(100, 200))).toBe(true);
    await daemon.logged('saved');
    expect(asked).toEqual(['bytes=100-199', 'whole']);
    // From now on the feed receives no request.
    await expect(receive(url)).resolves.toMatchObject({ sha256: digestOf(CONTENT) });
    expect((await head(url, { Range: 'bytes=5-9' })).headers['cache-status']).toBe('pulp-streamer;hit');
    expect(asked).toHaveLength(2);
  });

  it('with save_abandoned: is complete after a client left', async () => {
    const { url, asked, daemon } = await serve({ workers, save_abandoned: 'yes' });
    const left = await head(url);
    left.destroy();
    await daemon.logged('saved');
    expect(asked).toEqual(['whole', 'whole']);
    await expect(receive(url)).resolves.toMatchObject({ sha256: digestOf(CONTENT) });
    expect(asked).toHaveLength(2);
  });

  it('without them: does not exist', async () => {
    const { url, daemon } = await serve({ workers });
    const part = await head(url, { Range: 'bytes=100-199' });
    await part.toArray();
    (await head(url)).destroy();
    const lines = await daemon.logged('request', {}, 2);
    expect(lines.map(({ recorded }) => recorded)).toEqual([undefined, undefined]);
    expect((await daemon.stop()).stdout.toString()).not.toContain('"saved"');
  });
});

describe('the number of waiting save requests', () => {
  it('is logged, at each change and after a restart', async () => {
    const { url, site, daemon } = await serve({
      dispatch: 'celery',
      broker_url: `amqp://127.0.0.1:${await closedPort()}`,
    });
    await receive(url);
    expect(await daemon.logged('save failed, retrying')).toMatchObject([{ path: '/a.iso', failures: 1 }]);
    await daemon.stop();
    const again = await site.serve();
    expect(await again.logged('saves are waiting')).toMatchObject([{ waiting: 1, oldest: expect.any(Number) }]);
    expect((await again.stop()).stderr).toBe('');
  });
});
