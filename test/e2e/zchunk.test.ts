import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { digestOf } from '../support/collect.ts';
import { type StartFileServer, startApacheFiles, startNginxFiles } from '../support/file-servers.ts';
import { temporaryFolders } from '../support/folder.ts';
import { ownEnvironment, processes, succeeded } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';

const start = processes();
const folder = temporaryFolders();

const PACKAGES = 1500;
const packageAt = (at: number, version: number): string =>
  `<package><name>p${at}</name><checksum>${digestOf(Buffer.from(`${at} ${version}`)).repeat(40)}</checksum></package>\n`;

/** A file in zchunk of which every fourth chunk is new, and the one that the client has. */
const makeFiles = async (home: string): Promise<{ readonly before: string; readonly now: string }> => {
  const make = async (name: string, versionOf: (at: number) => number) => {
    const text = Array.from({ length: PACKAGES }, (_, at) => packageAt(at, versionOf(at))).join('');
    writeFileSync(join(home, name), text);
    await succeeded(start('zck', ['-s', '<package>', '-o', `${name}.zck`, name], { cwd: home, env: ownEnvironment() }));
    return join(home, `${name}.zck`);
  };
  return { before: await make('before', () => 1), now: await make('now', (at) => (at % 4 === 0 ? 2 : 1)) };
};

const open = async (startFeed: StartFileServer, known: boolean) => {
  const home = folder();
  mkdirSync(join(home, 'www'));
  const { before, now } = await makeFiles(home);
  copyFileSync(now, join(home, 'www/now.zck'));
  const feed = await startFeed(start, home);
  const content = readFileSync(now);
  // Smaller content would be fetched as a whole, and verified.
  const site = makeSite(start, folder(), { dispatch: 'none', verify_whole_below: 0 });
  const line = {
    path: '/now.zck',
    importer_id: (await site.run('importers', 'add')).trim(),
    unit_id: 'now',
    unit_type_id: 'iso',
    url: `${feed.url}/now.zck`,
    revision: 1,
    data: {},
    ...(known && { checksum: digestOf(content), checksum_algorithm: 'sha256', size: content.length }),
  };
  writeFileSync(join(home, 'lines'), JSON.stringify(line));
  await site.run('catalog', 'load', join(home, 'lines'));
  const daemon = await site.serve();
  const download = async (url: string) => {
    const there = folder();
    const seen = feed.requests().length;
    await succeeded(start('zckdl', ['-s', before, url], { cwd: there, env: ownEnvironment() }));
    expect(digestOf(readFileSync(join(there, 'now.zck')))).toBe(digestOf(content));
    return feed.requests().slice(seen);
  };
  return { daemon, feed, download };
};

describe.each([
  ['nginx', startNginxFiles],
  ['apache2', startApacheFiles],
] as const)('zchunk from %s', (name, startFeed) => {
  const it = itNeeding(['zck', 'zckdl', name]);

  const check = async (known: boolean) => {
    const { daemon, feed, download } = await open(startFeed, known);
    const straight = await download(`${feed.url}/now.zck`);
    const through = await download(`${daemon.url}/now.zck`);
    // Each request of the client may have more parts than one to the feed should, and needs the length if
    // the catalog does not have it.
    expect(through.slice((known ? 2 : 3) * straight.length)).toEqual([]);
    expect(through.filter((line) => line !== 'GET 206')).toEqual(
      through.filter((line) => !known && line === 'HEAD 200'),
    );
  };

  it('costs about as many requests as without the streamer', () => check(true));
  it('costs one more for the length if the catalog does not have it', () => check(false));
});
