import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createSources } from '../../../src/sources/open.ts';
import { anAsk, at, collect, failureOf } from '../../support/collect.ts';
import { feedSettings } from '../../support/feed-settings.ts';
import { startFeed } from '../../support/feeds.ts';

describe('every kind of source', () => {
  const sources = createSources(feedSettings());
  const folder = mkdtempSync(join(tmpdir(), 'open-test-'));
  const file = join(folder, 'a.rpm');
  writeFileSync(file, 'on disk');
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await sources.close();
  });
  const open = (...args: Parameters<typeof at>) => sources.open(at(...args), anAsk());

  it('is chosen by the URL', async () => {
    const origin = await startFeed((_, response) => response.end('from a feed'));
    await expect(collect(open(file))).resolves.toMatchObject({ body: Buffer.from('on disk') });
    await expect(collect(open(`file://${file}`))).resolves.toMatchObject({ body: Buffer.from('on disk') });
    await expect(collect(open(`FILE://${file}`))).resolves.toMatchObject({ body: Buffer.from('on disk') });
    await expect(collect(open(origin.url.replace('http', 'HTTP')))).resolves.toMatchObject({
      body: Buffer.from('from a feed'),
    });
    await origin.close();
  });

  it.each(['ftp://feed.test/a', 'a.rpm', '', 'javascript:alert(1)'])(
    'reports a URL of another kind: %p',
    async (url) => {
      await expect(failureOf(open(url))).resolves.toMatchObject({
        code: 'SOURCE_BROKEN',
        message: `cannot open the URL “${url}”; expected http:, https: or file:`,
      });
    },
  );
});
