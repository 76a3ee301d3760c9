import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { createDefaults } from '../../../src/app/from-settings.ts';
import { cliContext } from '../../../src/cli/context.ts';
import { anAsk, at, collect, failureOf } from '../../support/collect.ts';
import { startFeed } from '../../support/feeds.ts';
import { oldCertificates } from '../../support/old-certificates.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();

describe('feed_tls_levels', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  /** A feed with a certificate signed with SHA-1, and the authority that signed it. */
  const startOld = async () => {
    const authority = oldCertificates(newFolder()).authority();
    const feed = await startFeed((_, response) => response.end('hi'), authority.leaf({ digest: 'sha1' }));
    closing.push(feed.close);
    return { url: feed.url, ca: authority.cert };
  };

  it('holds for what the daemon opens, and for the hosts that it names', async () => {
    const { url, ca } = await startOld();
    const opening = (feedTlsLevels: string) => {
      const { open, close } = createDefaults({ feedTlsLevels });
      closing.push(close);
      return open(at(url, { access: { ca } }), anAsk());
    };
    await expect(collect(opening('127.0.0.1=0'))).resolves.toMatchObject({ body: Buffer.from('hi') });
    await expect(failureOf(opening('localhost=0, [::1]=0'))).resolves.toMatchObject({ code: 'TLS_FAILED' });
  });

  it('holds for commands that read repositories', async () => {
    const { url, ca } = await startOld();
    const read = async (levels: string) => {
      const file = join(newFolder(), 'pulp-streamer.conf');
      writeFileSync(file, `[streamer]\nfeed_tls_levels: ${levels}\n`);
      const command = cliContext.prepare(new Command()).parse(['--config', file], { from: 'user' });
      const chunks: Uint8Array[] = [];
      const feed = await cliContext.openFeed({ ssl_ca_cert: ca }, command);
      closing.push(feed.close);
      for await (const chunk of feed.read(url)) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    };
    await expect(read('127.0.0.1=0')).resolves.toBe('hi');
    await expect(read('')).rejects.toMatchObject({ code: 'TLS_FAILED' });
  });
});
