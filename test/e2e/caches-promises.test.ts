import { describe, expect } from '@jest/globals';
import { CACHES } from '../caches/caches.ts';
import { askWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { openOrigins } from '../support/origin.ts';
import { processes } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { until } from '../support/until.ts';

const start = processes();
const folder = temporaryFolders();
const openOrigin = openOrigins();

const date = (year: number) => new Date(`${year}-01-01`).toUTCString();

/** A client's requests for a kept file, which is of 2020. */
const ASKED = {
  'a range beyond the end': () => ({ Range: 'bytes=1000-' }),
  'If-None-Match, its tag': (etag: string) => ({ 'If-None-Match': etag }),
  'If-None-Match, another tag': () => ({ 'If-None-Match': '"another"' }),
  'If-Range, its tag': (etag: string) => ({ Range: 'bytes=0-9', 'If-Range': etag }),
  'If-Range, another tag': () => ({ Range: 'bytes=0-9', 'If-Range': '"another"' }),
  'If-Range, its date': () => ({ Range: 'bytes=0-9', 'If-Range': date(2020) }),
  'If-Range, another date': () => ({ Range: 'bytes=0-9', 'If-Range': date(2021) }),
  'If-Modified-Since, its date': () => ({ 'If-Modified-Since': date(2020) }),
  'If-Modified-Since, an earlier date': () => ({ 'If-Modified-Since': date(2019) }),
  'If-Modified-Since, a later date': () => ({ 'If-Modified-Since': date(2021) }),
  'If-Match, another tag': () => ({ 'If-Match': '"another"' }),
  'If-Unmodified-Since, an earlier date': () => ({ 'If-Unmodified-Since': date(2019) }),
};
type Asked = keyof typeof ASKED;

/** The streamer's own answers. */
const STREAMER: Readonly<Record<Asked, number>> = {
  'a range beyond the end': 416,
  'If-None-Match, its tag': 304,
  'If-None-Match, another tag': 200,
  'If-Range, its tag': 206,
  'If-Range, another tag': 200,
  'If-Range, its date': 206,
  'If-Range, another date': 200,
  'If-Modified-Since, its date': 304,
  'If-Modified-Since, an earlier date': 200,
  'If-Modified-Since, a later date': 200,
  'If-Match, another tag': 412,
  'If-Unmodified-Since, an earlier date': 412,
};

interface Promised {
  /** The deviations for a kept file, and for one that is not kept yet. */
  readonly kept?: Partial<Record<Asked, number>>;
  readonly missed?: Partial<Record<Asked, number>>;
  /** How a kept package reaches a client that sends no-cache. */
  readonly noCache: RegExp;
  /** The status of an expired file while the streamer is down. */
  readonly down: number;
  /** Whether there is an `Age`; otherwise `Date` shows it. */
  readonly age: boolean;
}

/** The same as the table in docs/how-to/caches.md. */
const PROMISES: Readonly<Record<string, Promised>> = {
  squid: {
    kept: { 'a range beyond the end': 200, 'If-Modified-Since, a later date': 304 },
    missed: { 'a range beyond the end': 200, 'If-Modified-Since, its date': 200 },
    noCache: /^MISS/,
    down: 504,
    age: true,
  },
  whole: { noCache: /^HIT/, down: 502, age: false },
  slices: { noCache: /^HIT/, down: 502, age: false },
  varnish: { noCache: /^HIT/, down: 503, age: true },
  apache: {
    kept: { 'If-Modified-Since, a later date': 304, 'If-Unmodified-Since, an earlier date': 200 },
    missed: { 'If-Unmodified-Since, an earlier date': 200 },
    noCache: /^MISS/,
    down: 503,
    age: true,
  },
};

describe.each(CACHES)('The table in docs/how-to/caches.md for $name', (cache) => {
  const it = itNeeding([cache.program]);
  const promised = PROMISES[cache.name] as Promised;
  const open = async (cacheTimeout?: number) => {
    const origin = await openOrigin(cacheTimeout === undefined ? {} : { cacheTimeout });
    const { url } = await cache.start(start, folder(), origin.url);
    return { origin, url, get: (path: string, headers = {}) => askWhole(url + path, headers) };
  };

  for (const state of ['kept', 'missed'] as const)
    it(`is right about ranges and conditions of a file that is ${state}`, async () => {
      const { origin, get } = await open();
      const fields = { 'Last-Modified': date(2020) };
      const found: Record<string, number | undefined> = {};
      for (const [what, headersFor] of Object.entries(ASKED)) {
        const path = `/${encodeURIComponent(what)}`;
        const { body, sha256 } = origin.offer(path, 1000, { fields });
        if (state === 'kept') await get(path);
        const answer = await get(path, headersFor(`"${sha256}"`));
        found[what] = answer.status;
        if (answer.status === 200) expect(answer.sha256).toBe(sha256);
        if (answer.status === 206) expect(answer.body.equals(body.subarray(0, 10))).toBe(true);
      }
      expect(found).toEqual({ ...STREAMER, ...promised[state] });
    });

  it('is right about no-cache and about the age', async () => {
    const { origin, get } = await open();
    origin.offer('/a.rpm', 1000);
    await get('/a.rpm');
    expect('age' in (await get('/a.rpm')).headers).toBe(promised.age);
    const { headers } = await get('/a.rpm', { 'Cache-Control': 'no-cache' });
    expect(headers['x-cache']).toMatch(promised.noCache);
  });

  it('is right about the head of a file that is not kept', async () => {
    const { origin, url } = await open();
    origin.offer('/a.rpm', 1000);
    const head = await askWhole(`${url}/a.rpm`, {}, 'HEAD');
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': '1000' }, body: Buffer.of() });
    expect(await origin.logged('/a.rpm')).toMatchObject([{ method: 'HEAD' }]);
  });

  it('is right about expired files while the streamer is down', async () => {
    const { origin, get } = await open(1);
    origin.offer('/a.rpm', 1000);
    await get('/a.rpm');
    await origin.stop();
    await until(async () => (await get('/a.rpm')).status === promised.down);
  });
});
