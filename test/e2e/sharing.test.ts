import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { digestOf, someBytes } from '../support/collect.ts';
import { flow } from '../support/feeds.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

// Larger than what the kernel, the daemon and Node hold for a client that does not read.
const CONTENT = someBytes(32 << 20);
const FIRST = 65_536;

/** A daemon with one file, at a feed that sends its first bytes and then waits for the word to go on. */
const serve = async () => {
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
  const site = makeSite(start, folder(), { dispatch: 'none' });
  const importer = (await site.run('importers', 'add')).trim();
  const entry = {
    ...{ path: '/a.iso', importer_id: importer, unit_id: 'a', unit_type_id: 'iso', url: `${feed.url}/a.iso` },
    ...{ checksum: digestOf(CONTENT), checksum_algorithm: 'sha256', revision: 1, data: {} },
  };
  const list = join(folder(), 'catalog.jsonl');
  writeFileSync(list, JSON.stringify(entry));
  await site.run('catalog', 'load', list);
  const daemon = await site.serve();
  return { url: `${daemon.url}/a.iso`, asked, goOn, daemon };
};

/** A client that has its first bytes, and reads on when it is told to. */
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

describe('many clients of one path at the same time', () => {
  it('cost one transfer from the feed; the first one leaving harms no one; a slow one goes on by a range of its own', async () => {
    const { url, asked, goOn, daemon } = await serve();
    const first = await arrive(url);
    const quick = await Promise.all(Array.from({ length: 20 }, () => arrive(url)));
    const slow = await arrive(url);
    expect(asked).toEqual(['whole']);
    expect(first.headers['cache-status']).not.toContain('collapsed');
    for (const { headers } of [...quick, slow]) expect(headers['cache-status']).toContain('collapsed');
    first.leave();
    await daemon.logged('request', { outcome: 'left' });

    goOn();
    const digest = digestOf(CONTENT);
    for (const found of await Promise.all(quick.map(({ read }) => read()))) expect(found).toBe(digest);
    // All that the quick ones wanted has come, while the slow one read nothing.
    expect(asked[0]).toBe('whole');
    expect(asked.filter((range) => range === 'whole')).toHaveLength(1);
    expect(await slow.read()).toBe(digest);
    expect(asked.filter((range) => range === 'whole')).toHaveLength(1);
    expect(asked.filter((range) => range !== 'whole')).not.toHaveLength(0);
    const lines = await daemon.logged('request', { outcome: 'complete', verified: 'sha256' }, 21);
    expect(lines.every(({ bytes }) => bytes === CONTENT.length)).toBe(true);
  }, 60_000);
});
