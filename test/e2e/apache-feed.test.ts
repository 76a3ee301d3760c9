import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect } from '@jest/globals';
import { createFeed } from '../../src/sources/feed/open.ts';
import type { TlsLevel } from '../../src/sources/feed/secure-context.ts';
import { createCertificates } from '../support/certificates.ts';
import { anAsk, at, collect, failureOf } from '../support/collect.ts';
import { feedSettings } from '../support/feed-settings.ts';
import { temporaryFolders } from '../support/folder.ts';
import { listening } from '../support/peers.ts';
import { freePorts } from '../support/ports.ts';
import { processes } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';

const start = processes();
const newFolder = temporaryFolders();
const it = itNeeding(['apache2']);

const MODULES = ['mpm_event', 'authz_core', 'socache_shmcb', 'ssl'];

/** Demands a client certificate for one folder only, once it knows that it is asked for. */
const startApache = async (files: Readonly<Record<string, string>>): Promise<string> => {
  const folder = newFolder();
  const [port = 0] = await freePorts(1);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  mkdirSync(join(folder, 'content/secret'), { recursive: true });
  writeFileSync(join(folder, 'content/secret/file'), 'hi');
  chmodSync(folder, 0o755);
  writeFileSync(
    join(folder, 'apache2.conf'),
    `ServerRoot ${folder}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/apache.pid
DefaultRuntimeDir ${folder}
ErrorLog ${folder}/error.log
${MODULES.map((name) => `Include /etc/apache2/mods-available/${name}.load`).join('\n')}
User www-data
Group www-data
DocumentRoot ${folder}/content
StartServers 1
SSLEngine on
SSLCertificateFile ${folder}/server.crt
SSLCertificateKeyFile ${folder}/server.key
SSLCACertificateFile ${folder}/ca.crt
<Location /secret>
  SSLVerifyClient require
</Location>
`,
  );
  const running = start('apache2', ['-DFOREGROUND', '-f', join(folder, 'apache2.conf')], { farewell: 'SIGTERM' });
  await listening(running, port, join(folder, 'error.log'));
  return `https://127.0.0.1:${port}/secret/file`;
};

describe('Apache as a feed that demands a client certificate for one folder', () => {
  const feeds: ReturnType<typeof createFeed>[] = [];
  afterEach(async () => {
    for (const feed of feeds.splice(0)) await feed.close();
  });
  const opening = (level?: TlsLevel) => {
    const feed = createFeed(feedSettings(level === undefined ? {} : { tlsLevels: new Map([['127.0.0.1', level]]) }));
    feeds.push(feed);
    return feed.open;
  };

  it('refuses TLS 1.3, and is read with TLS 1.2', async () => {
    const { authority, server, client } = await createCertificates();
    const url = await startApache({ 'server.crt': server.cert, 'server.key': server.key, 'ca.crt': authority.cert });
    const trusting = { ca: authority.cert };
    const access = { ...trusting, clientCert: client.cert, clientKey: client.key };
    await expect(failureOf(opening()(at(url, { access }), anAsk()))).resolves.toMatchObject({
      code: 'SOURCE_REFUSED',
      sourceStatus: 403,
    });
    const body = { body: Buffer.from('hi') };
    await expect(collect(opening(2)(at(url, { access }), anAsk()))).resolves.toMatchObject(body);
    await expect(failureOf(opening(2)(at(url, { access: trusting }), anAsk()))).resolves.toMatchObject({
      code: 'TLS_FAILED',
      message: expect.stringContaining('client certificate'),
    });
  });
});
