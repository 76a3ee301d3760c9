import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { digestOf, someBytes } from '../support/collect.ts';
import { type StartFileServer, startApacheFiles, startNginxFiles } from '../support/file-servers.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';
import { until } from '../support/until.ts';

const start = processes();
const folder = temporaryFolders();

const CONTENT = someBytes(3_000_000);
const MODIFIED = 'Thu, 01 Jan 2026 00:00:00 GMT';
const LATER = 'Thu, 01 Jan 2026 00:00:01 GMT';

/** The same file with its checksum in the catalog, without, and without its size. */
const open = async (startFeed: StartFileServer) => {
  const home = folder();
  mkdirSync(join(home, 'www'));
  const file = join(home, 'www/a.iso');
  writeFileSync(file, CONTENT);
  utimesSync(file, new Date(MODIFIED), new Date(MODIFIED));
  const feed = await startFeed(start, home);
  const site = makeSite(start, folder(), { dispatch: 'none' });
  const importer = (await site.run('importers', 'add')).trim();
  const checksum = { checksum: digestOf(CONTENT), checksum_algorithm: 'sha256' };
  const lines = Object.entries({ bare: {}, proven: checksum, known: { ...checksum, size: CONTENT.length } }).map(
    ([name, more]) =>
      JSON.stringify({
        ...{ path: `/${name}`, importer_id: importer, unit_id: name, unit_type_id: 'iso', url: `${feed.url}/a.iso` },
        ...{ revision: 1, data: {}, ...more },
      }),
  );
  writeFileSync(join(home, 'lines'), lines.join('\n'));
  await site.run('catalog', 'load', join(home, 'lines'));
  const daemon = await site.serve();
  const ask = async (path: string, headers: Readonly<Record<string, string>>, method = 'GET') => {
    const seen = feed.requests().length;
    const response = await fetch(daemon.url + path, { method, headers });
    const { byteLength } = await response.arrayBuffer();
    // A server may write its log after its answer.
    await until(() => feed.requests().length > seen);
    return { status: response.status, byteLength, headers: response.headers, asked: feed.requests().slice(seen) };
  };
  return { ask };
};

describe.each([
  ['nginx', startNginxFiles],
  ['apache2', startApacheFiles],
] as const)('a condition about content of %s', (name, startFeed) => {
  const it = itNeeding([name]);

  it('is judged by the feed if the catalog cannot', async () => {
    const { ask } = await open(startFeed);
    const whole = await ask('/bare', {});
    expect(whole).toMatchObject({ status: 200, byteLength: CONTENT.length, asked: ['GET 200'] });
    const etag = whole.headers.get('etag') ?? '';
    for (const method of ['GET', 'HEAD']) {
      expect(await ask('/bare', { 'If-None-Match': etag }, method)).toMatchObject({
        ...{ status: 304, byteLength: 0, asked: [`${method} 304`] },
      });
      expect(await ask('/bare', { 'If-None-Match': '"other"' }, method)).toMatchObject({ status: 200 });
      for (const path of ['/bare', '/proven', '/known'])
        expect(await ask(path, { 'If-Modified-Since': MODIFIED }, method)).toMatchObject({
          ...{ status: 304, byteLength: 0, asked: [`${method} 304`] },
        });
    }
  });

  it('never confirms an earlier version, as a later date would', async () => {
    const { ask } = await open(startFeed);
    for (const path of ['/bare', '/proven', '/known']) {
      const { status, byteLength } = await ask(path, { 'If-Modified-Since': LATER });
      expect([status, byteLength]).toEqual([200, CONTENT.length]);
    }
  });
});
