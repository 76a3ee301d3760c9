import { describe, expect, it } from '@jest/globals';
import { policyOf, settingsOf } from '../../src/app/from-settings.ts';
import { CACHES } from '../caches/caches.ts';
import { askWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { openOrigins } from '../support/origin.ts';
import { processes } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { shipped } from '../support/shipped.ts';

const start = processes();
const folder = temporaryFolders();
const openOrigin = openOrigins();
const settings = settingsOf({});
const { maxTargetLength, maxHeaderSize } = settings;
const { attempts, headTimeout, readTimeout, retryWaitLimit, clientTimeout } = policyOf(settings);

/**
 * The maximum of header fields that the streamer accepts from a feed (docs/reference/headers.md),
 * less those of every response.
 */
const FIELDS: Readonly<Record<string, string>> = {
  'X-Long': 'a'.repeat(9_000),
  ...Object.fromEntries(Array.from({ length: 110 }, (_, index) => [`X-Field-${index}`, 'b'.repeat(30)])),
  'X-Rest': 'c'.repeat(1_800),
};

describe.each(CACHES)('$name', (cache) => {
  const itIfThere = itNeeding([cache.program]);
  const open = async () => {
    const origin = await openOrigin();
    const { url } = await cache.start(start, folder(), origin.url);
    return { origin, url };
  };

  itIfThere('passes on the maximum of header fields of the streamer', async () => {
    const { origin, url } = await open();
    const { sha256 } = origin.offer('/a.rpm', 1000, { fields: FIELDS });
    const headers = Object.fromEntries(Object.entries(FIELDS).map(([name, value]) => [name.toLowerCase(), value]));
    expect(await askWhole(`${url}/a.rpm`)).toMatchObject({ status: 200, sha256, headers });
    const kept = await askWhole(`${url}/a.rpm`);
    expect(kept).toMatchObject({ status: 200, sha256 });
    // mod_cache_disk reads lines of up to 8 KiB, see docs/how-to/apache.md.
    if (cache.name !== 'apache') expect(kept.headers).toMatchObject(headers);
    expect(kept.headers['x-cache']).toMatch(/^HIT/);
  });

  itIfThere('accepts targets and header fields up to the limits of the streamer', async () => {
    const { origin, url } = await open();
    // Squid counts `http://localhost` as well, see docs/how-to/squid.md.
    const longest = maxTargetLength - (cache.name === 'squid' ? 20 : 0);
    const path = `/${'a'.repeat(longest - 1)}`;
    const { sha256 } = origin.offer(path, 1000);
    expect(await askWhole(url + path)).toMatchObject({ status: 200, sha256 });
    const headers = { 'X-Long': 'a'.repeat(maxHeaderSize - 600) };
    expect(await askWhole(`${url}/unknown`, headers)).toMatchObject({ status: 404 });
  });
});

describe('The configurations in examples', () => {
  const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, minutes: 60 };
  /** All times of a setting in a file, in milliseconds. */
  const timesOf = (setting: string, file: string): readonly number[] => {
    const found = [...shipped(file, {}).matchAll(new RegExp(`${setting}[ =]+(\\d+) ?([a-z]*)`, 'g'))];
    return found.map(([, number, unit = '']) => 1000 * Number(number) * (SECONDS[unit] ?? Number.NaN));
  };
  const waits = attempts * (headTimeout + readTimeout + retryWaitLimit);

  it.each([
    ['squid/squid.conf', '\\nread_timeout'],
    ['nginx/snippets/pulp-streamer.conf', 'proxy_read_timeout'],
    ['varnish/default.vcl', 'first_byte_timeout'],
    ['varnish/default.vcl', 'between_bytes_timeout'],
    ['apache/pulp-streamer.conf', 'ProxyTimeout'],
    ['apache/cache.conf', 'ProxyTimeout'],
  ])('%s waits until the streamer must have found another source: %s', (file, setting) => {
    const times = timesOf(setting, file);
    expect(times).toHaveLength(1);
    for (const time of times) expect(time).toBeGreaterThan(waits);
  });

  it.each([
    ['nginx/snippets/pulp-streamer.conf', '\\nsend_timeout'],
    ['varnish/override.conf', 'idle_send_timeout'],
    ['apache/pulp-streamer.conf', '\\n *Timeout'],
    ['apache/cache.conf', '\\n *Timeout'],
  ])('%s waits for clients for as long as the streamer does: %s', (file, setting) => {
    expect(timesOf(setting, file)).toEqual([clientTimeout]);
  });
});
