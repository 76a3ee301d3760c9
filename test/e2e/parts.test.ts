import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { digestOf, someBytes } from '../support/collect.ts';
import { flow, serveContents } from '../support/feeds.ts';
import { sha256 } from '../support/pipeline.ts';
import { processes, succeeded } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { startWireSite, valuesOf, type WireSite } from '../support/wire.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();
const itWithAria2 = itNeeding(['aria2c']);
const itWithAxel = itNeeding(['axel']);

const sites: WireSite[] = [];
afterEach(() => Promise.all(sites.splice(0).map(({ daemon }) => daemon.stop())));
const startSite = async (
  ...options: Parameters<typeof startWireSite> extends [string, ...infer Rest] ? Rest : never
) => {
  const site = await startWireSite(folder(), ...options);
  sites.push(site);
  return site;
};

const listed = (content: Uint8Array) => ({ checksum: { algorithm: 'sha256' as const, value: sha256(content) } });
const textOf = (content: Uint8Array, first: number, last: number) =>
  Buffer.from(content.subarray(first, last + 1)).toString('latin1');
const range = (first: number, last: number) => ({ fields: [`Range: bytes=${first}-${last}`] });

/** A feed with parts, and what it was asked for. */
const startParts = async (content: Uint8Array, answer: RequestListener = serveContents(new Map([['/a', content]]))) => {
  const asked: string[] = [];
  const feed = await startFeed((request, response) => {
    asked.push(`${request.method} ${request.headers.range ?? 'whole'}`);
    answer(request, response);
  });
  return { url: `${feed.url}/a`, asked };
};

describe.each([1, 2])('parts of small content, with %s worker(s)', (workers) => {
  const right = someBytes(100_000);
  const wrong = Buffer.from(right).fill(0, 50_000, 50_100);

  it('are right although the first feed sends wrong bytes, and fetch the whole once', async () => {
    const [bad, good] = [await startParts(wrong), await startParts(right)];
    const site = await startSite({ workers, dispatch: 'save' });
    site.list('/a', [bad.url, good.url], listed(right));
    const firsts = [0, 20_000, 49_000, 90_000];
    const parts = await Promise.all(firsts.map((first) => site.ask('/a', range(first, first + 5000))));
    for (const [index, part] of parts.entries()) {
      const first = firsts[index] as number;
      expect(part.status).toBe(206);
      expect(valuesOf(part, 'content-range')).toEqual([`bytes ${first}-${first + 5000}/100000`]);
      expect(part.body).toBe(textOf(right, first, first + 5000));
    }
    expect(good.asked).toEqual(['GET whole']);
    // The first one is asked for parts until it is known that the content is small.
    expect(bad.asked.filter((one) => one === 'GET whole')).toHaveLength(1);
  });

  it('in one body cost one transfer', async () => {
    const feed = await startParts(right);
    const site = await startSite({ workers, dispatch: 'none' });
    site.list('/a', [feed.url], listed(right));
    const { status, body } = await site.ask('/a', { fields: ['Range: bytes=0-9,50000-50009,-10'] });
    expect(status).toBe(206);
    for (const first of [0, 50_000, 99_990]) expect(body).toContain(textOf(right, first, first + 9));
    expect(feed.asked).toEqual(['HEAD whole', 'GET whole']);
  });
});

describe('a part of larger content', () => {
  const content = someBytes(3_000_000);
  /** Breaks off after some bytes of each part, and may then go away. */
  const breaking =
    (after: number): RequestListener =>
    ({ headers }, response) => {
      const [, first, last] = (/^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []).map(Number) as [
        number,
        number,
        number,
      ];
      const fields = {
        'Content-Range': `bytes ${first}-${last}/${content.length}`,
        'Content-Length': last - first + 1,
      };
      response.writeHead(206, fields);
      response.write(content.subarray(first, Math.min(first + after, last + 1)), () => response.destroy());
    };

  it('is continued by another feed that repeats its last bytes', async () => {
    const [bad, good] = [await startParts(content, breaking(300_000)), await startParts(content)];
    const site = await startSite({ dispatch: 'none', attempts: 3 });
    site.list('/a', [bad.url, good.url], listed(content));
    const part = await site.ask('/a', range(1_000_000, 2_000_000));
    expect(part.status).toBe(206);
    expect(part.body).toBe(textOf(content, 1_000_000, 2_000_000));
    const [from] = (/bytes=(\d+)/.exec(good.asked[0] ?? '') ?? []).slice(1).map(Number);
    expect(from).toBeGreaterThan(1_000_000);
  });

  it('is reset if the other feed has other bytes there', async () => {
    const other = Buffer.from(content).reverse();
    const [bad, worse] = [await startParts(content, breaking(300_000)), await startParts(other)];
    const site = await startSite({ dispatch: 'none', attempts: 3 });
    site.list('/a', [bad.url, worse.url], listed(content));
    await expect(site.ask('/a', range(1_000_000, 2_000_000))).rejects.toThrow();
    expect(worse.asked).not.toEqual([]);
  });
});

describe.each([1, 2])('a feed that sends no parts, with %s worker(s)', (workers) => {
  const content = someBytes(40 << 20);
  /** Sends the whole for every range. */
  const startRangeless = async () => {
    const sent = new Map<object, number>();
    const feed = await startParts(content, (_, response) => {
      response.writeHead(200, { 'Content-Length': content.length });
      flow(response, content, (bytes) => sent.set(response, bytes));
    });
    return { ...feed, sent: () => [...sent.values()].reduce((sum, bytes) => sum + bytes, 0) };
  };

  for (const dispatch of ['save', 'none'] as const)
    itWithAria2(`is asked for one part by aria2 with 16 connections (dispatch: ${dispatch})`, async () => {
      const feed = await startRangeless();
      const site = await startSite({ workers, dispatch });
      site.list('/a.iso', [feed.url], listed(content));
      const home = folder();
      const url = `http://127.0.0.1:${site.daemon.addresses[0]?.port}/a.iso`;
      await succeeded(start('aria2c', ['--no-conf', '-x16', '-s16', '-k1M', '-d', home, '-o', 'a.iso', url]));
      expect(digestOf(readFileSync(join(home, 'a.iso')))).toBe(digestOf(content));
      expect(feed.asked.filter((one) => one.startsWith('GET bytes='))).toHaveLength(1);
      expect(feed.asked.filter((one) => one === 'GET whole')).toHaveLength(1);
      // The part that was refused has filled the kernel's buffers: up to 4 MB.
      expect(feed.sent() / content.length).toBeLessThan(1.3);
    });

  for (const dispatch of ['save', 'none'] as const)
    itWithAxel(`sends its content about once to axel with 16 connections (dispatch: ${dispatch})`, async () => {
      const feed = await startRangeless();
      const site = await startSite({ workers, dispatch });
      site.list('/a.iso', [feed.url], listed(content));
      const file = join(folder(), 'a.iso');
      const url = `http://127.0.0.1:${site.daemon.addresses[0]?.port}/a.iso`;
      await succeeded(start('axel', ['-q', '-n', '16', '-o', file, url]));
      expect(digestOf(readFileSync(file))).toBe(digestOf(content));
      expect(feed.sent() / content.length).toBeLessThan(1.3);
    });
});
