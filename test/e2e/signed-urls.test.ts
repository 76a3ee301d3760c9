import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, jest } from '@jest/globals';
import { signUrl } from '../../src/http/signed-url.ts';
import { temporaryFolders } from '../support/folder.ts';
import { freePorts } from '../support/ports.ts';
import { processes } from '../support/processes.ts';
import { KEYS, STRANGERS, VECTORS } from '../support/signed-urls.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';

jest.setTimeout(60_000); // real processes, on machines that may be busy

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const PATH = '/var/lib/pulp/content/units/rpm/76/78177c/bear-4.1-1.noarch.rpm';
const LATER = 4_102_444_800;

/** A daemon that checks URLs and knows one path. */
const openSite = async (settings: Readonly<Record<string, string | number>>) => {
  const home = folder();
  const key = join(home, 'rsa_pub.key');
  writeFileSync(key, VECTORS.public_key);
  const feed = await startFeed((_, response) => response.end('bytes'));
  const site = makeSite(start, home, { signed_urls: 'on', rsa_pub: key, ...settings });
  await site.run('catalog', 'add', PATH, `${feed.url}/bear`);
  return { daemon: await site.serve(), key };
};

/** The target as it is: `fetch` would alter it. */
const ask = (base: string, path: string, headers: Readonly<Record<string, string>> = {}) =>
  new Promise<{ status: number | undefined; cacheControl: string | undefined; body: string }>((resolve, reject) => {
    const { hostname, port } = new URL(base);
    get({ host: hostname, port, path, headers, agent: false }, async (response) => {
      const { statusCode: status, headers } = response;
      resolve({ status, cacheControl: headers['cache-control'], body: await text(response) });
    }).on('error', reject);
  });

const from = (client: string) => ({ 'X-Forwarded-For': client });
const MEANING = 'the URL is not signed for this request\n';
const REFUSAL = { status: 403, cacheControl: 'no-store', body: `403 ${MEANING}` };

describe('a streamer that checks signed URLs', () => {
  it('serves and refuses what Pulp 2’s vectors say, tells proxies the same, and why to the log alone', async () => {
    const [port = 0] = await freePorts(1);
    const { daemon } = await openSite({ trusted_proxies: '127.0.0.1', admin_port: port });
    const auth = (uri: string, client: string) =>
      ask(`http://127.0.0.1:${port}`, '/auth', { 'X-Original-URI': uri, ...from(client) });
    for (const { name, url, remote_ip, valid } of VECTORS.cases) {
      const served = await ask(daemon.url, url, from(remote_ip));
      expect({ name, ...served }).toEqual({
        name,
        ...(valid ? { ...served, status: 200, body: 'bytes' } : REFUSAL),
      });
      const { status, body } = await auth(url, remote_ip);
      expect({ name, status, body }).toEqual({
        name,
        ...(valid ? { status: 204, body: '' } : { status: 403, body: MEANING }),
      });
    }
    const refused = VECTORS.cases.filter(({ valid }) => !valid);
    const code = 'URL_REFUSED';
    const lines = [
      await daemon.logged('request', { code, status: 403 }, refused.length),
      await daemon.logged('refused for a proxy', { code }, refused.length),
    ];
    for (const [index, { reason, remote_ip: client }] of refused.entries())
      for (const line of lines) {
        expect(line[index]).toMatchObject({ client, path: expect.stringMatching(/\?\*\*\*$/) });
        expect(line[index]?.error).toContain(reason);
      }
    expect((await daemon.stop()).stdout.toString()).not.toMatch(/(policy|signature)=[^*]/);
  });

  it('believes no client who only says that he is the one, and takes a new key with SIGHUP', async () => {
    const { daemon, key } = await openSite({ trusted_proxies: '192.0.2.1' });
    const signed = ({ privateKey }: Pick<typeof KEYS, 'privateKey'>, remoteIp: string) =>
      signUrl(`/streamer${PATH}`, { key: privateKey, expiration: LATER, remoteIp });
    expect(await ask(daemon.url, signed(KEYS, '192.0.2.7'), from('192.0.2.7'))).toEqual(REFUSAL);
    await daemon.logged('request', { client: '127.0.0.1', error: /extension remote_ip not matched/ });

    const statuses = async () => [
      (await ask(daemon.url, signed(KEYS, '127.0.0.1'))).status,
      (await ask(daemon.url, signed(STRANGERS, '127.0.0.1'))).status,
    ];
    expect(await statuses()).toEqual([200, 403]);
    writeFileSync(key, 'no key');
    daemon.kill('SIGHUP');
    await daemon.logged('the key of signed URLs is not read anew; the one before goes on', { error: /rsa_pub: / });
    expect(await statuses()).toEqual([200, 403]);
    writeFileSync(key, STRANGERS.publicKey.export({ type: 'spki', format: 'pem' }));
    daemon.kill('SIGHUP');
    await daemon.logged('the key of signed URLs was read anew');
    expect(await statuses()).toEqual([403, 200]);
  });

  it.each(['check-config', 'serve'])('%s ends with 78 where there is no key, and names the file', async (command) => {
    const site = makeSite(start, folder(), { signed_urls: 'on', rsa_pub: '/nowhere/rsa.key' });
    const { status, stderr } = await site.start(command).ended;
    expect(stderr).toContain('rsa_pub: /nowhere/rsa.key: expected an RSA public key (PEM); found no such file');
    expect(status).toBe(78);
  });
});
