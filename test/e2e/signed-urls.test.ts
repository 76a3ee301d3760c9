import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { signUrl } from '../../src/http/signed-url.ts';
import { temporaryFolders } from '../support/folder.ts';
import { freePorts } from '../support/ports.ts';
import { processes } from '../support/processes.ts';
import { KEYS, STRANGERS, VECTORS } from '../support/signed-urls.ts';
import { makeSite, pulpStreamer } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const PATH = '/var/lib/pulp/content/units/rpm/76/78177c/bear-4.1-1.noarch.rpm';
const LATER = 4_102_444_800;

/** A daemon that checks URLs and has one path. */
const openSite = async (settings: Readonly<Record<string, string | number>>) => {
  const home = folder();
  const key = join(home, 'rsa_pub.key');
  writeFileSync(key, VECTORS.public_key);
  const feed = await startFeed((_, response) => response.end('bytes'));
  const site = makeSite(start, home, { signed_urls: 'on', rsa_pub: key, ...settings });
  await site.run('catalog', 'add', PATH, `${feed.url}/bear`);
  return { daemon: await site.serve(), key };
};

/** Requests the target unchanged, which `fetch` would normalize. */
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
  it('serves and refuses as Pulp 2’s vectors require, answers proxies alike, and gives reasons only in the log', async () => {
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
      await daemon.logged('URL refused for a proxy', { code }, refused.length),
    ];
    for (const [index, { reason, remote_ip: client }] of refused.entries())
      for (const line of lines) {
        expect(line[index]).toMatchObject({ client, path: expect.stringMatching(/\?\*\*\*$/) });
        expect(line[index]?.error).toContain(reason);
      }
    expect((await daemon.stop()).stdout.toString()).not.toMatch(/(policy|signature)=[^*]/);
  });

  it('answers only proxies that ask by address or a name of admin_hosts', async () => {
    const [port = 0] = await freePorts(1);
    await openSite({ trusted_proxies: '127.0.0.1', admin_port: port, admin_hosts: 'streamer.internal' });
    const { url = '', remote_ip = '' } = VECTORS.cases.find(({ valid }) => valid) ?? {};
    const auth = async (Host: string) =>
      (await ask(`http://127.0.0.1:${port}`, '/auth', { Host, 'X-Original-URI': url, ...from(remote_ip) })).status;
    expect(await auth(`127.0.0.1:${port}`)).toBe(204);
    expect(await auth('streamer.internal')).toBe(204);
    expect(await auth('mirror.example')).toBe(421);
  });

  it('does not trust a client’s own claim of its address, and loads a new key with SIGHUP', async () => {
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
    await daemon.logged('configuration not reloaded, the previous one stays in use', { error: /rsa_pub: / });
    expect(await statuses()).toEqual([200, 403]);
    writeFileSync(key, STRANGERS.publicKey.export({ type: 'spki', format: 'pem' }));
    daemon.kill('SIGHUP');
    await daemon.logged('configuration reloaded');
    expect(await statuses()).toEqual([403, 200]);
  });

  it.each(['check-config', 'serve'])('%s ends with 78 if the key is missing, and names the file', async (command) => {
    const site = makeSite(start, folder(), { signed_urls: 'on', rsa_pub: '/nowhere/rsa.key' });
    const { status, stderr } = await site.start(command).ended;
    expect(stderr).toContain('rsa_pub: /nowhere/rsa.key: expected an RSA public key (PEM); found no such file');
    expect(status).toBe(78);
  });
});

describe('sign-url and verify-url', () => {
  /**
   * The output and status of a command. `key` is written to a file, for which `{key}` in the
   * arguments stands.
   */
  const said = async (key: string, ...args: string[]) => {
    const file = join(folder(), 'some.key');
    writeFileSync(file, key);
    const named = args.map((arg) => arg.replace('{key}', file));
    const { status, stdout, stderr } = await pulpStreamer(start, ...named).ended;
    return { status, stdout: stdout.toString(), stderr: stderr.replace(file, '{key}') };
  };
  const { private_key, public_key } = VECTORS;
  const sign = (...args: string[]) => said(private_key, 'sign-url', ...args, '--key', '{key}');
  const verify = (...args: string[]) => said(public_key, 'verify-url', ...args, '--key', '{key}');

  it('sign for one client and a limited time, and show both', async () => {
    const before = Math.floor(Date.now() / 1000);
    const { status, stdout, stderr } = await sign('http://h/x?a=b', '--expires', '1000', '--remote-ip', '2001:DB8::7');
    const after = Math.floor(Date.now() / 1000);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^http:\/\/h\/x\?a=b;policy=[\w-]+={0,2};signature=[\w-]+==\n$/);

    const url = stdout.trimEnd();
    const [right, wrong, json] = await Promise.all([
      verify(url, '--remote-ip', '2001:db8:0::7'),
      verify(url),
      verify(url, '--json', '--remote-ip', '2001:db8::7'),
    ]);
    expect(right).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^valid until \d{4}-.*Z, for 2001:db8::7 only\n$/),
      stderr: '',
    });
    const reason = 'extension remote_ip not matched: signed for "2001:db8::7"';
    expect(wrong).toEqual({ status: 1, stdout: `not valid: ${reason}\n`, stderr: '' });
    const { valid, policy } = JSON.parse(json.stdout);
    expect({ valid, resource: policy.resource, status: json.status }).toEqual({
      valid: true,
      resource: '/x?a=b',
      status: 0,
    });
    expect(policy.expiration).toBeGreaterThanOrEqual(before + 1000);
    expect(policy.expiration).toBeLessThanOrEqual(after + 1000);
  });

  it('judge Pulp’s URLs valid or invalid, with the reason', async () => {
    const expired = VECTORS.cases.find(({ reason }) => reason === 'expired');
    const [fine, over] = await Promise.all([
      verify(String(VECTORS.cases[0]?.url)),
      verify(String(expired?.url), '--json'),
    ]);
    expect(fine).toEqual({ status: 0, stdout: 'valid until 2100-01-01T00:00:00.000Z, for any client\n', stderr: '' });
    expect({ status: over.status, ...JSON.parse(over.stdout) }).toEqual({
      status: 1,
      valid: false,
      reason: expect.stringMatching(/^expired \d+ s ago$/),
    });
  });

  it('name unusable input', async () => {
    const [public_, none, setting, time, address] = await Promise.all([
      said(public_key, 'sign-url', '/x', '--key', '{key}'),
      said('', 'verify-url', '/x', '--key', '/nowhere/rsa.key'),
      said('[authentication]\nrsa_key: /nowhere/rsa.key\n', 'sign-url', '/x', '--config', '{key}'),
      sign('/x', '--expires', '1.5'),
      verify('/x', '--remote-ip', 'localhost'),
    ]);
    const problem = (text: string) => `the configuration is not valid:\n  ${text}\n`;
    expect(public_.stderr).toContain(
      '  flag --key: {key}: expected an RSA private key without a passphrase (PEM); found ',
    );
    expect(none.stderr).toBe(
      problem('flag --key: /nowhere/rsa.key: expected an RSA public key (PEM); found no such file'),
    );
    expect(setting.stderr).toContain('  rsa_key: /nowhere/rsa.key: expected an RSA private key');
    expect(time.stderr).toContain("argument '1.5' is invalid. expected a whole number of seconds, at least 1");
    expect(address.stderr).toContain("argument 'localhost' is invalid. expected an IPv4 or IPv6 address");
    expect([public_, none, setting, time, address].map(({ status }) => status)).toEqual([78, 78, 78, 2, 2]);
  });
});
