import { describe, expect } from '@jest/globals';
import { startApache } from '../support/apache.ts';
import { ask, readWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { openOrigins } from '../support/origin.ts';
import { processes } from '../support/processes.ts';
import { dial } from '../support/raw-http.ts';
import { itNeeding } from '../support/repositories.ts';
import { askedByProxies, badlySigned, signed, signedAs } from '../support/signed-urls.ts';
import { startSquid } from '../support/squid.ts';

const start = processes();
const folder = temporaryFolders();
const it = itNeeding(['apache2', 'squid']);
const openOrigin = openOrigins();

/** A path that Pulp redirects clients to: its `redirect_path`, and the storage path. */
const PATH = '/var/lib/pulp/content/units/rpm/76/78177c/bear-4.1+1~rc1^2.noarch.rpm';
const TARGET = encodeURI(`/streamer${PATH}`);

/** As in Pulp 2's own deployment: Apache checks, Squid caches, the streamer fetches. */
const open = async () => {
  const { adminPort, settings } = await askedByProxies(folder());
  const origin = await openOrigin(settings);
  const squid = await startSquid(start, folder(), origin.url);
  const apache = await startApache(start, folder(), { squid: squid.url, adminPort });
  return { origin, url: apache.url, get: (target: string, headers = {}) => ask(apache.url + target, headers) };
};

const MISS = { 'x-cache': expect.stringMatching(/^MISS /) };
const HIT = { 'x-cache': expect.stringMatching(/^HIT /) };

describe('Apache before Squid, as shipped in examples/apache', () => {
  it('passes requests that are signed for the client, and Squid keeps each file once', async () => {
    const { origin, get } = await open();
    const { body, sha256 } = origin.offer(PATH);
    const first = await readWhole(await get(signed(TARGET, { remoteIp: '127.0.0.1' })));
    expect(first).toMatchObject({ status: 200, headers: MISS, sha256 });
    const second = await readWhole(await get(signed(TARGET.replace('/streamer/', '/streamer//'))));
    expect(second).toMatchObject({ status: 200, headers: HIT, sha256 });
    const part = await readWhole(await get(signed(TARGET.replaceAll('+', '%2B')), { Range: 'bytes=-10' }));
    expect(part).toMatchObject({ status: 206, headers: HIT });
    expect(part.body.equals(body.subarray(-10))).toBe(true);
    expect(await origin.logged(encodeURI(PATH))).toMatchObject([{ status: 200, client: '127.0.0.1' }]);
  });

  it('finds names that it decodes, whichever spelling was signed', async () => {
    const { origin, get } = await open();
    const folder = '/var/lib/pulp/content/units/rpm/76/78177c';
    for (const [name, target = encodeURIComponent(name)] of [
      ['a;b=1.rpm'],
      ['c;d=1.rpm', 'c;d=1.rpm'],
      ['é ü.rpm'],
      ['a+b.rpm'],
      ['a%2Bb.rpm'],
      ['100%.rpm'],
    ] as const) {
      const { sha256 } = origin.offer(`${folder}/${name}`, 1000);
      const asked = `/streamer${folder}/${target}`;
      const raw = signedAs(`/streamer${folder}/${name}`, asked);
      // What was signed is read as a URL: there, `%2B` is a plus sign.
      for (const url of name.includes('%2B') ? [signed(asked)] : [signed(asked), raw])
        expect({ url, ...(await readWhole(await get(url))) }).toMatchObject({ url, status: 200, sha256 });
    }
  });

  it('refuses other requests without fetching, and all requests while the streamer is unavailable', async () => {
    const { origin, get } = await open();
    const { sha256 } = origin.offer(PATH, 1000);
    const whole = async (target: string, headers = {}) => readWhole(await get(target, headers));
    expect(await whole(signed(TARGET))).toMatchObject({ status: 200, sha256 });
    for (const [what, target] of Object.entries(badlySigned(TARGET))) {
      const { status } = await whole(target, { 'X-Forwarded-For': '192.0.2.7', 'X-Original-URI': signed(TARGET) });
      expect({ what, status }).toEqual({ what, status: 403 });
    }
    for (const target of [signed(encodeURI(PATH)), encodeURI(PATH)])
      expect(await whole(target)).toMatchObject({ status: 404 });
    await origin.stop();
    expect(await whole(signed(TARGET))).toMatchObject({ status: 403 });
  });

  it('passes on the maximum of header fields of the streamer', async () => {
    const { origin, get } = await open();
    const fields = { 'X-Long': 'a'.repeat(9_000), 'X-Other': 'b'.repeat(5_000) };
    origin.offer(PATH, 1000, { fields });
    const headers = { 'x-long': fields['X-Long'], 'x-other': fields['X-Other'] };
    expect(await readWhole(await get(signed(TARGET)))).toMatchObject({ status: 200, headers: { ...MISS, ...headers } });
    expect(await readWhole(await get(signed(TARGET)))).toMatchObject({ status: 200, headers: { ...HIT, ...headers } });
  });

  it('announces an HTTP/1.0 client to the streamer, so that it gets no response with an undetectable end', async () => {
    const { origin, url } = await open();
    origin.offer(PATH, undefined, 'unmeasured');
    const client = dial(Number(new URL(url).port));
    await client.send(`GET ${signed(TARGET)} HTTP/1.0\r\n\r\n`);
    await client.ended;
    expect(client.received()).toMatch(/^HTTP\/1\.[01] 502 /);
  });

  for (const [what, how] of [
    ['with a length', undefined],
    ['without a length', 'unmeasured'],
  ] as const)
    it(`streams, and no client mistakes a truncated answer ${what} for a complete one`, async () => {
      const { origin, get } = await open();
      const { sha256 } = origin.offer(PATH, undefined, how);
      origin.feed.hold();
      const response = await get(signed(TARGET));
      origin.feed.cut();
      await expect(readWhole(response)).rejects.toThrow('aborted');
      origin.feed.release();
      expect(await readWhole(await get(signed(TARGET)))).toMatchObject({ status: 200, headers: MISS, sha256 });
    });
});
