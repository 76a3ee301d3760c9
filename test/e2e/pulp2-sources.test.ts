import { rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { descriptorOf } from '../support/alternates.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { describeMongo, type MongoServer, mongodb, serverName } from '../support/mongodb.ts';
import { processes, succeeded } from '../support/processes.ts';
import { type PulpSite, startPulpSite } from '../support/pulp-site.ts';
import { packagesIn } from '../support/pulp2/packages.ts';
import type { Pulp2 } from '../support/pulp2/pulp2.ts';
import { makeFilesRepository } from '../support/repositories.ts';
import { pulpStreamer } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { until } from '../support/until.ts';

const CONTENT = someBytes(100_000);
const ZOO = join(import.meta.dirname, '../../examples/zoo');
const serve: RequestListener = (_, response) =>
  response.writeHead(200, { 'Content-Length': CONTENT.length }).end(CONTENT);
const later = () => Math.floor(Date.now() / 1000) + 3600;

interface Attempt {
  readonly source: string;
  readonly failure?: { readonly code: string };
}

describeMongo(`alternate content sources of a site of Pulp 2’s (${serverName})`, () => {
  const start = processes();
  const mongo = mongodb();
  const newFolder = temporaryFolders();
  const startFeed = closedFeeds();
  let server: MongoServer;
  let pulp: Pulp2;
  let name: string;
  let site: PulpSite;
  let publish: ReturnType<typeof packagesIn>;
  beforeAll(async () => {
    server = await mongo.server();
    ({ name, pulp } = await mongo.database(server));
    publish = packagesIn(pulp, CONTENT);
    site = await startPulpSite(newFolder(), server, name, ['dispatch: deferred']);
  });
  afterAll(() => site.daemon.stop());

  const get = async (path: string) => {
    const response = await fetch(site.url + path, { signal: AbortSignal.timeout(20_000) });
    const body = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, body, whole: body.equals(CONTENT) };
  };
  const describeSources = (file: string, text: string) => {
    writeFileSync(join(site.sourcesDir, file), text);
    site.daemon.streamer.alternates.reload();
  };
  /** The sources tried for the last request of a path, with the results. */
  const tried = async (path: string): Promise<string[]> => {
    const line = () => site.log.findLast((one) => one.msg === 'request' && one.path === path);
    await until(() => line() !== undefined);
    const attempts = (line()?.attempts ?? []) as readonly Attempt[];
    return attempts.map(({ source, failure }) => `${source} ${failure?.code ?? 'ok'}`);
  };

  it('are tried by their priority, the lowest number first, and then the feed, each once', async () => {
    const folders = [newFolder(), newFolder(), newFolder()];
    const files = folders.map((folder) => join(folder, 'bear.rpm'));
    for (const file of files) writeFileSync(file, CONTENT);
    const sections = folders.map((folder, index) =>
      descriptorOf(`s${2 - index}`, folder, { type: 'files', priority: 2 - index }),
    );
    describeSources('three.conf', sections.join('\n'));
    describeSources('corrupt.conf', 'rubbish\n');
    describeSources('wrong.conf', descriptorOf('wrong', newFolder(), { type: 'cvs' }));
    const problems = site.log
      .filter(({ msg }) => msg === 'alternate source invalid')
      .map(({ problem }) => String(problem));
    expect(problems.some((problem) => problem.includes('corrupt.conf:1: '))).toBe(true);
    expect(problems.some((problem) => problem.includes('wrong.conf:3: [wrong] type: expected one of yum'))).toBe(true);

    const feed = await startFeed(serve);
    const { path, key } = await publish({ url: `${feed.url}/bear.rpm` });
    for (const [index, file] of files.entries())
      await pulp.offer(`s${2 - index}`, 'rpm', key, pathToFileURL(file).href, later());
    // None of these counts: one is of an unknown source, the others have expired or are not the
    // newest.
    await pulp.offer('unknown', 'rpm', key, pathToFileURL(files[0]!).href, later());
    await pulp.offer('s0', 'rpm', key, 'file:///none', 1);
    const asked = async () => {
      expect(await get(path)).toMatchObject({ status: 200, whole: true });
      return tried(path);
    };
    expect(await asked()).toEqual(['alternate:s0 ok']);
    rmSync(files[2]!);
    expect(await asked()).toEqual(['alternate:s0 SOURCE_MISSING', 'alternate:s1 ok']);
    rmSync(files[1]!);
    rmSync(files[0]!);
    expect(await asked()).toEqual([
      'alternate:s0 SOURCE_MISSING',
      'alternate:s1 SOURCE_MISSING',
      'alternate:s2 SOURCE_MISSING',
      `feed:127.0.0.1:${feed.port} ok`,
    ]);
    expect(feed.requests).toHaveLength(1);
  });

  it('give a normal response: with a head derived from the file, and recorded', async () => {
    const folder = newFolder();
    const file = join(folder, 'bear.rpm');
    writeFileSync(file, CONTENT);
    utimesSync(file, 1_500_000_000, 1_500_000_000);
    describeSources('heads.conf', descriptorOf('heads', folder, { type: 'files' }));
    const { path, key } = await publish({ url: 'http://127.0.0.1:1/bear.rpm' });
    await pulp.offer('heads', 'rpm', key, pathToFileURL(file).href, later());
    const { status, whole, headers } = await get(path);
    expect([status, whole]).toEqual([200, true]);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-length': String(CONTENT.length),
      'content-type': 'application/x-rpm',
      'last-modified': statSync(file).mtime.toUTCString(),
      etag: expect.stringMatching(/^"\S+"$/),
      'cache-control': 'public, s-maxage=86400, max-age=86400',
    });
    await until(() => site.log.some((line) => line.msg === 'save queued' && line.path === path));
  });

  it('are catalogued by the streamer, in Pulp’s own collection', async () => {
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'a', 'b.iso': 'b' });
    describeSources('disk.conf', descriptorOf('disk', folder, { type: 'files' }));
    const done = () => site.log.find(({ msg, source }) => msg === 'alternate source refreshed' && source === 'disk');
    await until(() => done() !== undefined);
    const key = { name: 'b.iso', checksum: digestOf(Buffer.from('b')), size: 1 };
    const path = await pulp.storagePath('iso', key, 'b.iso');
    await pulp.entry({
      path,
      importer_id: await pulp.importer({}),
      unit_id: await pulp.unit('iso', key),
      unit_type_id: 'iso',
      url: 'http://127.0.0.1:1/b.iso',
      checksum: key.checksum,
      algorithm: 'sha256',
    });
    expect((await get(path)).body.toString()).toBe('b');
    expect(site.daemon.streamer.catalog.refreshes.search('iso', {})).toEqual([]);
  });

  it('are listed, refreshed and explained by the command line', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'zoo.conf'), descriptorOf('zoo', ZOO));
    const config = join(folder, 'streamer.conf');
    const state = join(folder, 'state');
    writeFileSync(
      config,
      `[streamer]\nmongodb_url: ${server.url}${name}\nstate_dir: ${state}\ncontent_sources_dir: ${folder}\n`,
    );
    const run = async (...args: string[]) =>
      (await succeeded(pulpStreamer(start, ...args, '--config', config))).stdout.toString();
    expect(await run('sources', 'list')).toMatch(/^zoo\tyum\t0\tfile:\S+\t0\t-\tstale\twell\t-\t-\n$/);
    expect(await run('sources', 'refresh', 'zoo')).toMatch(/^zoo: 5 units until/);
    expect(await run('sources', 'list')).toMatch(/^zoo\tyum\t0\tfile:\S+\t5\t\S+Z\tfresh\twell\t-\t-\n$/);
    expect(await run('sources', 'explain', 'rpm:name=bear,version=4.1')).toMatch(/^rpm \{.*\n 1\. zoo {2}file:/);
  });
});
