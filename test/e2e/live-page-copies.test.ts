import { afterAll, describe, expect, it } from '@jest/globals';
import { hasChromium, openPages } from '../support/browser.ts';
import { ask, readWhole } from '../support/clients.ts';
import { digestOf } from '../support/collect.ts';
import { liveSites, rowOf, shows } from '../support/live-site.ts';
import { startProcess, succeeded } from '../support/run-process.ts';
import { ACCESS, BUCKET, describeObjects, objectServers } from '../support/s3-server.ts';
import { pulpStreamer } from '../support/site.ts';
import { tinyDisk } from '../support/tiny-disk.ts';

const open = openPages();
const start = liveSites();
const suite = hasChromium ? describe : describe.skip;

/** What `pulp-streamer top` prints of the same listener. */
const topOf = async (admin: string): Promise<string> =>
  (await succeeded(pulpStreamer(startProcess, 'top', '--once', '--url', admin))).stdout.toString();

suite('the copy of a stream, on the live page in Chromium', () => {
  it.each([1, 2])('is kept while its client reads nothing, with %s worker(s)', async (workers) => {
    const { admin, url, body, offer } = await start({ dispatch: 'save', workers });
    offer('/el9/big.iso');
    const page = await open(admin);
    await shows(page, '#status', /^ready/);
    const response = await ask(`${url}/el9/big.iso`);
    response.pause();
    await rowOf(page, 'big.iso.*copy kept.*has sent all; running').waitFor();
    expect(await topOf(admin)).toMatch(/^ *copy 24\.0 MiB .*█.* kept$/m);
    expect((await readWhole(response)).sha256).toBe(digestOf(body));
    await rowOf(page, 'big.iso.*copy kept.*done, proven right').waitFor();
    await page.keyboard.press('h');
    await shows(page, '#dialog tr', /big\.iso.*kept/);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await shows(page, '#dialog', /Copy: 24\.0 MiB, kept\./);
  });

  it('waits in a spill if none is kept', async () => {
    const { admin, url, body, offer } = await start({ dispatch: 'none' });
    offer('/el9/big.iso');
    const page = await open(admin);
    await shows(page, '#status', /^ready/);
    const response = await ask(`${url}/el9/big.iso`);
    response.pause();
    await rowOf(page, 'big.iso.*waits on disk').waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    // What is open goes on with its stream.
    await shows(page, '#dialog', /On disk for this client alone: 2\d\.\d MiB\./);
    expect(await topOf(admin)).toMatch(/^ *spill 2\d\.\d MiB /m);
    await shows(page, '#dialog', /waits on disk for its client; .*running/);
    expect((await readWhole(response)).sha256).toBe(digestOf(body));
    await shows(page, '#dialog', /waits on disk for its client; .*done, proven right/);
    await shows(page, '#dialog table', /attempt/);
  });

  const disk = tinyDisk(4);
  afterAll(() => disk?.free());
  (disk ? it : it.skip)('is given up if the disk is full, and says why (needs mount)', async () => {
    const { admin, url, body, offer } = await start({ dispatch: 'save', saveDir: disk?.folder, saveLimit: 0 });
    offer('/el9/big.iso');
    const page = await open(admin, { viewport: { width: 390, height: 844 }, colorScheme: 'light' });
    await shows(page, '#status', /^ready/);
    expect((await readWhole(await ask(`${url}/el9/big.iso`))).sha256).toBe(digestOf(body));
    await rowOf(page, 'big.iso.*copy given up: ENOSPC.*done, proven right').waitFor();
    await shows(page, '#streams .word.slow', /^COPY GIVEN UP/);
    expect(await topOf(admin)).toMatch(/^ *copy \d.* given up: ENOSPC/m);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  });
});

if (hasChromium)
  describeObjects('the copy of a stream in an object store, on the live page in Chromium', () => {
    const startObjects = objectServers();

    it('falls behind while the store takes nothing, and is kept once it does', async () => {
      const objects = await startObjects();
      const { admin, url, body, offer } = await start({
        ...{ dispatch: 'save', saveUrl: `s3://${BUCKET}/site`, saveEndpoint: objects.url },
        ...{ saveAccessKey: ACCESS.accessKeyId, saveSecretKey: ACCESS.secretAccessKey },
      });
      const held: (() => void)[] = [];
      objects.meddle(({ method, url: target }, response) => {
        if (method !== 'PUT' || !target?.includes('partNumber')) return false;
        held.push(() => response.destroy());
        return true;
      });
      offer('/el9/big.iso');
      const page = await open(admin);
      await shows(page, '#status', /^ready/);
      expect((await readWhole(await ask(`${url}/el9/big.iso`))).sha256).toBe(digestOf(body));
      await rowOf(page, 'big.iso.*its copy falls behind; done').waitFor();
      await shows(page, '#streams .word', /^COPY 24\.0 MiB behind/);
      objects.meddle(() => false);
      for (const release of held.splice(0)) release();
      await rowOf(page, 'big.iso.*its copy falls behind.*copy kept.*done').waitFor();
      expect(await topOf(admin)).toMatch(/^ *copy 24\.0 MiB .* kept$/m);
    });
  });
