import { describe, expect } from '@jest/globals';
import { CACHES } from '../caches/caches.ts';
import { temporaryFolders } from '../support/folder.ts';
import { type Origin, openOrigins } from '../support/origin.ts';
import { processes } from '../support/processes.ts';
import { dial } from '../support/raw-http.ts';
import { itNeeding } from '../support/repositories.ts';
import { until } from '../support/until.ts';

const start = processes();
const folder = temporaryFolders();
const openOrigin = openOrigins();

/**
 * The bytes that an HTTP/1.0 client has received once its connection has ended, and how it ended.
 */
const ask = async (url: string, path: string, breaks?: { readonly origin: Origin; readonly headFirst: boolean }) => {
  const client = dial(Number(new URL(url).port));
  await client.send(`GET ${path} HTTP/1.0\r\n\r\n`);
  if (breaks) {
    const { feed } = breaks.origin;
    if (breaks.headFirst) await client.until((received, ended) => ended || received.includes('\r\n\r\n'));
    else await until(() => feed.asked(path).length > 0);
    feed.cut();
  }
  const ended = await client.ended;
  const received = Buffer.from(client.received(), 'latin1');
  const end = received.indexOf('\r\n\r\n');
  const head = received.toString('latin1', 0, end);
  const [, status] = /^HTTP\/\S+ (\d+)/.exec(head) ?? [];
  const [, length] = /^content-length: (\d+)/im.exec(head) ?? [];
  const body = received.subarray(end + 4);
  /** A client considers it complete: every byte arrived, without an error. */
  const looksWhole = ended === 'end' && (length === undefined || Number(length) === body.length);
  return { status: Number(status), length: length === undefined ? undefined : Number(length), body, looksWhole };
};

describe.each(CACHES)('A client of HTTP/1.0 behind $name', (cache) => {
  const it = itNeeding([cache.program]);
  // The head of a slice is sent only once the slice is complete.
  const headFirst = cache.parts === undefined;
  const open = async () => {
    const origin = await openOrigin();
    const { url } = await cache.start(start, folder(), origin.url);
    return { origin, url };
  };

  it('gets content of known length, and detects a truncation', async () => {
    const { origin, url } = await open();
    const { body } = origin.offer('/a.iso');
    origin.feed.hold();
    const broken = await ask(url, '/a.iso', { origin, headFirst });
    expect(broken.status !== 200 || !broken.looksWhole).toBe(true);
    origin.feed.release();
    const whole = await ask(url, '/a.iso');
    expect(whole).toMatchObject({ status: 200, length: body.length, looksWhole: true });
    expect(whole.body.equals(body)).toBe(true);
  });

  it('gets small content of unknown length', async () => {
    const { origin, url } = await open();
    const { body } = origin.offer('/a.rpm', 1000, 'unmeasured');
    const whole = await ask(url, '/a.rpm');
    expect(whole).toMatchObject({ status: 200, length: body.length, looksWhole: true });
    expect(whole.body.equals(body)).toBe(true);
  });

  it('gets an error instead of content with an undetectable end', async () => {
    const { origin, url } = await open();
    origin.offer('/a.iso', undefined, 'unmeasured');
    origin.feed.hold();
    const broken = await ask(url, '/a.iso', { origin, headFirst });
    expect(broken.status).toBe(502);
  });
});
