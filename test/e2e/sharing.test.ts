import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, last, Subject, take } from 'rxjs';
import { createStreamer } from '../../src/index.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { flow } from '../support/feeds.ts';
import { temporaryFolders } from '../support/folder.ts';
import { anEntry } from '../support/pipeline.ts';
import { processes } from '../support/processes.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

// Larger than the buffers of kernel, daemon and Node for a client that does not read.
const CONTENT = someBytes(32 << 20);
const FIRST = 65_536;

/** A feed of one file that sends its first bytes and then waits for a signal to continue. */
const startSlowFeed = async () => {
  const asked: string[] = [];
  let goOn = () => {};
  const told = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const feed = await startFeed((request, response) => {
    const { range } = request.headers;
    asked.push(range ?? 'whole');
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const total = CONTENT.length;
    const common = { ETag: '"1"', 'Content-Length': total - from };
    if (from > 0) {
      response.writeHead(206, { ...common, 'Content-Range': `bytes ${from}-${total - 1}/${total}` });
      return flow(response, CONTENT.subarray(from), () => {});
    }
    response.writeHead(200, common);
    response.write(CONTENT.subarray(0, FIRST));
    void told.then(() => flow(response, CONTENT.subarray(FIRST), () => {}));
  });
  return { feedUrl: `${feed.url}/a.iso`, asked, goOn };
};

const serve = async (workers: number, path = '/a.iso') => {
  const { feedUrl, ...feed } = await startSlowFeed();
  // Nothing waits on disk for a slow client, whose own request is to be seen.
  const site = makeSite(start, folder(), { workers, dispatch: 'none', spill_limit: 0 });
  await site.run('catalog', 'add', path, feedUrl, '--checksum', `sha256:${digestOf(CONTENT)}`);
  const daemon = await site.serve();
  return { url: daemon.url + path, daemon, ...feed };
};

/** A client that has received its first bytes, and reads on demand. */
const arrive = async (url: string) => {
  const [response] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  await once(response, 'readable');
  return {
    headers: response.headers,
    read: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      return digestOf(Buffer.concat(chunks));
    },
    leave: () => response.destroy(),
  };
};

describe.each([1, 2])('many clients of one path at the same time, with %s worker(s)', (workers) => {
  it('cost one transfer also if they ask for the file by different paths', async () => {
    const { url, asked, goOn } = await serve(workers, '/c++/index.html');
    const paths = [
      '/c++/',
      '/c%2B%2b/index.html',
      '//c++/index.html',
      '/./c++/',
      '/c++/index.html;v=1',
      '/c++/index.html',
    ];
    const clients = await Promise.all(paths.map((path) => arrive(new URL(url).origin + path)));
    goOn();
    for (const digest of await Promise.all(clients.map(({ read }) => read()))) expect(digest).toBe(digestOf(CONTENT));
    // One that falls behind the others asks for its rest.
    expect(asked.filter((one) => one === 'whole')).toHaveLength(1);
  });

  it('cost one transfer from the feed; the first one may leave; a slow one continues with its own range request', async () => {
    const { url, asked, goOn, daemon } = await serve(workers);
    const first = await arrive(url);
    const quick = await Promise.all(Array.from({ length: 8 }, () => arrive(url)));
    const slow = await arrive(url);
    expect(asked).toEqual(['whole']);
    expect(first.headers['cache-status']).not.toContain('collapsed');
    for (const { headers } of [...quick, slow]) expect(headers['cache-status']).toContain('collapsed');
    first.leave();
    await daemon.logged('request', { outcome: 'left' });

    goOn();
    const digest = digestOf(CONTENT);
    for (const found of await Promise.all(quick.map(({ read }) => read()))) expect(found).toBe(digest);
    // The fast clients received everything while the slow one read nothing.
    expect(asked[0]).toBe('whole');
    expect(asked.filter((range) => range === 'whole')).toHaveLength(1);
    expect(await slow.read()).toBe(digest);
    expect(asked.filter((range) => range === 'whole')).toHaveLength(1);
    expect(asked.filter((range) => range !== 'whole')).not.toHaveLength(0);
    const lines = await daemon.logged('request', { outcome: 'complete', verified: 'sha256' }, 9);
    expect(lines.every(({ bytes }) => bytes === CONTENT.length)).toBe(true);
  });
});

describe('an embedded streamer', () => {
  it('shares transfers as well, with a valve for each consumer', async () => {
    const { feedUrl, asked, goOn } = await startSlowFeed();
    const streamer = await createStreamer({ stateDir: folder(), dispatch: 'none' });
    const checksum = { algorithm: 'sha256', value: digestOf(CONTENT) } as const;
    const importerId = streamer.catalog.importers.ensure({}).id;
    streamer.catalog.entries.add({ ...anEntry({ path: '/a.iso', url: feedUrl, checksum }), importerId });
    const bytes = async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of streamer.bytes('/a.iso')) {
        if (chunks.length === 0) arrived.next();
        chunks.push(chunk);
      }
      return digestOf(Buffer.concat(chunks));
    };
    const arrived = new Subject<void>();
    const all = firstValueFrom(arrived.pipe(take(3), last()));
    const digests = Promise.all([bytes(), bytes(), bytes()]);
    await all;
    goOn();
    const digest = digestOf(CONTENT);
    expect(await digests).toEqual([digest, digest, digest]);
    expect(asked.filter((range) => range === 'whole')).toHaveLength(1);
    await streamer.close();
  });
});
