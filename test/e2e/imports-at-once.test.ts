import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const IMPORTS = 24;
const CONTENT = 'content';
const MANIFEST = `file,${createHash('sha256').update(CONTENT).digest('hex')},${CONTENT.length}\n`;

describe('imports at once', () => {
  it('wait for one another, and all succeed', async () => {
    const site = makeSite(start, folder());
    await site.run('importers', 'add');
    const answered = new Set<string>();
    const feed = await startFeed(({ url = '' }, response) => {
      const isManifest = url.endsWith('/PULP_MANIFEST');
      response.on('finish', () => isManifest && answered.add(url)).end(isManifest ? MANIFEST : CONTENT);
    });
    const numbers = Array.from({ length: IMPORTS }, (_, number) => number);
    // All have what they need before any of them can write.
    const other = new DatabaseSync(join(site.stateDir, 'catalog.db'));
    other.exec('BEGIN IMMEDIATE');
    const over: number[] = [];
    const running = numbers.map((number) => {
      const one = site.start('catalog', 'import', 'files', `${feed.url}/${number}/`, '--prefix', `/${number}`);
      void one.ended.then(() => over.push(number));
      return one;
    });
    await until(() => answered.size === IMPORTS || over.length > 0);
    other.close();
    const ends = await Promise.all(running.map(({ ended }) => ended));
    expect(ends.filter(({ status }) => status !== 0).map(({ stderr }) => stderr)).toEqual([]);
    const listed = JSON.parse(await site.run('catalog', 'list', '/', '--json')) as readonly { readonly path: string }[];
    const expected = numbers.flatMap((number) => [`/${number}/PULP_MANIFEST`, `/${number}/file`]);
    expect(listed.map(({ path }) => path).sort()).toEqual(expected.sort());
  });
});
