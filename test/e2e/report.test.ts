import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { hasChromium, openPages } from '../support/browser.ts';
import { askWhole } from '../support/clients.ts';
import { someBytes } from '../support/collect.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { makeSite, type Site } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();
const openPage = openPages();

const BYTES = 100_000;
const NAME = '/p/<script>alert(1)</script>.iso';

/** A site at which three clients have asked for one file, which was fetched once, and one for a missing one. */
const open = async (workers = 1): Promise<Site> => {
  const feed = await startFeed((request, response) => {
    if (request.url?.includes('missing')) response.writeHead(404).end();
    else response.end(someBytes(BYTES));
  });
  const site = makeSite(start, folder(), { workers });
  await site.run('catalog', 'add', NAME, `${feed.url}/x`, '--size', String(BYTES));
  await site.run('catalog', 'add', '/p/missing', `${feed.url}/missing`);
  const daemon = await site.serve();
  for (let client = 0; client < 3; client += 1) {
    expect((await askWhole(daemon.url + encodeURI(NAME))).status).toBe(200);
    if (client === 0) await daemon.logged('saved');
  }
  expect((await askWhole(`${daemon.url}/p/missing`)).status).toBe(404);
  await daemon.stop();
  return site;
};

describe('report', () => {
  it.each([1, 2])(
    'tells what clients got and what was fetched for it, also by another daemon on the same day, with %s worker(s)',
    async (workers) => {
      const site = await open(workers);
      const daemon = await site.serve();
      await askWhole(daemon.url + encodeURI(NAME));
      await daemon.stop();
      const { total, saved, prefixes, sources, files, days } = JSON.parse(await site.run('report', '--json'));
      expect(total).toMatchObject({ requests: 5, failed: 1, served: 4 * BYTES, kept: 3 * BYTES, fetched: BYTES });
      expect(saved).toBe(3 * BYTES);
      expect(prefixes).toMatchObject([{ prefix: '/p', requests: 5 }]);
      expect(sources).toMatchObject([{ source: expect.stringMatching(/^feed:/), attempts: 2, failed: 0 }]);
      expect(files).toEqual([{ path: NAME, requests: 4, bytes: 4 * BYTES }]);
      expect(days).toHaveLength(30);
      expect(await site.run('report', '--days', '1')).toContain('saved on the line  293 KiB, 75.0 %');
    },
  );

  it('names the day whose figures are damaged', async () => {
    const site = await open();
    const [name = ''] = readdirSync(join(site.stateDir, 'report'));
    const file = join(site.stateDir, 'report', name);
    truncateSync(file, 20);
    const { status, stderr } = await site.start('report').ended;
    expect([status, stderr]).toEqual([1, expect.stringContaining(`${file}: damaged (`)]);
    expect(stderr).toContain('); remove it, and its day counts as nothing\n');
  });

  (hasChromium ? it : it.skip)('is a page that shows the same, and runs nothing that a path says', async () => {
    const site = await open();
    const file = join(folder(), 'report.html');
    const html = await site.run('report', '--days', '7', '--html');
    writeFileSync(file, html);
    const page = await openPage(pathToFileURL(file).href);
    expect(await page.locator('dl .main').textContent()).toMatch(/195 KiB\s*66.7 % of what clients got/);
    expect(await page.locator('svg g').count()).toBe(7);
    expect(await page.locator('svg rect').count()).toBe(2);
    expect(await page.locator('td', { hasText: NAME }).count()).toBe(1);
    expect(await page.locator('script').count()).toBe(0);
    expect(html).not.toMatch(/(src|href)=/);
  });
});
