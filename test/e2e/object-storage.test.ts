import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteObjectCommand, ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from '@jest/globals';
import { firstValueFrom, Subject, toArray } from 'rxjs';
import { askWhole } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { ACCESS, BUCKET, describeObjects, type ObjectServer, objectServers } from '../support/s3-server.ts';
import { type DaemonProcess, makeSite, type Site } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();
const startObjects = objectServers();

const MIB = 1024 * 1024;
const SMALL = someBytes(100_000);
/** Three parts. */
const LARGE = someBytes(20 * MIB + 12_345);
const FILES = { '/small.rpm': SMALL, '/large.rpm': LARGE, '/bare.rpm': SMALL } as const;
type Path = keyof typeof FILES;

/** A feed with some files, and a bucket. `asked` has the paths that the feed was asked for. */
const scene = async (workers = 1) => {
  const asked: string[] = [];
  const feed = await startFeed(({ url = '' }, response) => {
    asked.push(url);
    const content = FILES[url as Path];
    response.writeHead(200, { 'Content-Length': content.length, ETag: '"feeds-own"' }).end(content);
  });
  const objects = await startObjects();
  const siteWith = async (settings: Readonly<Record<string, string | number>> = {}): Promise<Site> => {
    const site = makeSite(start, folder(), { ...objects.settings, workers, ...settings });
    for (const path of ['/small.rpm', '/large.rpm'] as const)
      await site.run('catalog', 'add', path, feed.url + path, '--checksum', `sha256:${digestOf(FILES[path])}`);
    await site.run('catalog', 'add', '/bare.rpm', `${feed.url}/bare.rpm`);
    return site;
  };
  return { asked, objects, siteWith };
};

/** Asks for files, one after the other, until each has a copy: for the first time, or again. */
const save = async (daemon: DaemonProcess, ...paths: readonly Path[]) => saveAgain(daemon, 1, ...paths);
const saveAgain = async (daemon: DaemonProcess, times: number, ...paths: readonly Path[]) => {
  for (const path of paths) {
    expect((await askWhole(daemon.url + path)).sha256).toBe(digestOf(FILES[path]));
    await daemon.logged('saved', { path }, times);
  }
};

const expectHit = async ({ url }: DaemonProcess, path: Path) => {
  const { sha256, headers } = await askWhole(url + path);
  expect([sha256, headers['cache-status']]).toEqual([digestOf(FILES[path]), 'pulp-streamer;hit']);
};

/** The file of a copy's content, which the server reads. */
const fileOf = ({ names, folder }: ObjectServer, size: number): string => {
  const files = names().map((name) => join(folder, name));
  return files.find((file) => readFileSync(file).length === size) ?? '';
};

const workersOf = async (site: Site): Promise<readonly { readonly pid: number }[]> =>
  JSON.parse((await site.start('status', '--json').ended).stdout.toString()).workers;

const unfinished = async ({ client }: ObjectServer): Promise<number> =>
  (await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads?.length ?? 0;

const copiesInAStore = (workers: number) => () => {
  it('are saved, and served whole, in parts and to many at once, also after a restart', async () => {
    const { asked, siteWith, objects } = await scene(workers);
    const site = await siteWith();
    const first = await site.serve();
    await save(first, '/small.rpm', '/large.rpm', '/bare.rpm');
    expect([objects.names().length, await unfinished(objects)]).toEqual([6, 0]);
    for (const path of ['/small.rpm', '/large.rpm', '/bare.rpm'] as const) await expectHit(first, path);
    await first.stop();

    const daemon = await site.serve();
    const all = await Promise.all(Array.from({ length: 20 }, () => askWhole(`${daemon.url}/large.rpm`)));
    expect(new Set(all.map(({ sha256 }) => sha256))).toEqual(new Set([digestOf(LARGE)]));
    for (const [from, last] of [
      [0, 0],
      [65_535, 65_536],
      [70_000, 9_000_000],
      [LARGE.length - 1, LARGE.length - 1],
    ] as const) {
      const part = await askWhole(`${daemon.url}/large.rpm`, { Range: `bytes=${from}-${last}` });
      expect([part.status, part.sha256]).toEqual([206, digestOf(LARGE.subarray(from, last + 1))]);
    }
    const bare = await askWhole(`${daemon.url}/bare.rpm`, { Range: 'bytes=99000-', 'If-Range': '"feeds-own"' });
    expect([bare.status, bare.sha256]).toEqual([206, digestOf(SMALL.subarray(99_000))]);
    expect(asked).toEqual(['/small.rpm', '/large.rpm', '/bare.rpm']);
  });

  it('are listed, verified and purged by the commands', async () => {
    const { siteWith, objects } = await scene(workers);
    const site = await siteWith();
    const daemon = await site.serve();
    await save(daemon, '/small.rpm', '/large.rpm', '/bare.rpm');
    const listed = JSON.parse(await site.run('copies', 'list', '--json'));
    const sizes = listed.map(({ path, size }: { path: string; size: number }) => [path, size]);
    expect(Object.fromEntries(sizes)).toEqual(
      Object.fromEntries(Object.entries(FILES).map(([path, content]) => [path, content.length])),
    );
    expect(await site.run('copies', 'verify')).toBe('verified 3 copies, removed 0\n');

    writeFileSync(fileOf(objects, LARGE.length), someBytes(LARGE.length));
    const { status, stdout } = await site.start('copies', 'verify').ended;
    expect([status, stdout.toString()]).toEqual([
      1,
      expect.stringMatching(/^removed\t.*\t\/large\.rpm\t.*its sha256 is/),
    ]);
    expect(await site.run('copies', 'purge', '/bare.rpm')).toBe(`removed 1 copy, ${SMALL.length} bytes\n`);
    expect(objects.names()).toHaveLength(2);
    await site.run('copies', 'purge', '--all');
    expect(objects.names()).toEqual([]);
    // The daemon still knows them, and finds that they are gone.
    expect((await askWhole(`${daemon.url}/small.rpm`)).sha256).toBe(digestOf(SMALL));
  });

  it('leave nothing behind if the daemon is killed while it sends one', async () => {
    const { siteWith, objects } = await scene(workers);
    const site = await siteWith();
    const second = new Subject<void>();
    objects.meddle(({ url = '' }) => {
      if (!url.includes('partNumber=2')) return false;
      second.next();
      // Never answered.
      return true;
    });
    const killed = await site.serve();
    const sending = firstValueFrom(second);
    expect((await askWhole(`${killed.url}/large.rpm`)).sha256).toBe(digestOf(LARGE));
    await sending;
    expect([objects.names(), await unfinished(objects)]).toEqual([[], 1]);
    killed.kill('SIGKILL');
    await killed.ended;

    objects.meddle(() => false);
    const daemon = await site.serve();
    // Its save request is still there.
    await daemon.logged('saved', { path: '/large.rpm' });
    await until(async () => (await unfinished(objects)) === 0);
    await expectHit(daemon, '/large.rpm');
  });

  it('are not needed: while the store is down the feed serves, and saves are made up for', async () => {
    const { asked, siteWith, objects } = await scene(workers);
    const site = await siteWith();
    const daemon = await site.serve();
    await save(daemon, '/small.rpm');
    await objects.stop();
    expect((await askWhole(`${daemon.url}/small.rpm`)).sha256).toBe(digestOf(SMALL));
    expect((await askWhole(`${daemon.url}/large.rpm`)).sha256).toBe(digestOf(LARGE));
    const [degraded] = await daemon.logged('degraded, serving continues', { subject: 'object store' });
    expect(degraded?.problem).toMatch(/^s3:\/\/copies\/site\//);
    const { stdout: status } = await site.start('status').ended;
    expect(status.toString()).toContain('object store: s3://copies/site/');
    expect(asked).toEqual(['/small.rpm', '/small.rpm', '/large.rpm']);

    await objects.start();
    await site.run('saves', 'retry', '--all');
    await daemon.logged('works again', { subject: 'object store' });
    await daemon.logged('saved', { path: '/large.rpm' });
    // Copies are tried last until they have cooled down, as any source that failed.
    await until(
      async () => (await askWhole(`${daemon.url}/large.rpm`)).headers['cache-status'] === 'pulp-streamer;hit',
    );
    await expectHit(daemon, '/large.rpm');
  });

  it('are not needed: a store that refuses, and one that never answers, cost a client nothing', async () => {
    const { siteWith, objects } = await scene(workers);
    const site = await siteWith({ head_timeout: '1s' });
    const daemon = await site.serve();
    await save(daemon, '/small.rpm', '/large.rpm');
    objects.meddle((_, response) => {
      response.writeHead(403).end('<Error><Code>AccessDenied</Code><Message>no</Message></Error>');
      return true;
    });
    expect((await askWhole(`${daemon.url}/small.rpm`)).sha256).toBe(digestOf(SMALL));
    const [request] = await daemon
      .logged('request', { path: '/small.rpm', bytes: SMALL.length }, 2)
      .then((all) => all.slice(1));
    expect(request?.attempts).toMatchObject([{ source: 'saved', failure: { code: 'SOURCE_REFUSED' } }, {}]);
    const [refused] = await daemon.logged('degraded, serving continues', { subject: 'object store' });
    expect(refused?.problem).toMatch(/: the store answered 403 \(AccessDenied: no\)$/);
    await daemon.stop();

    const another = await site.serve();
    objects.meddle(() => true);
    expect((await askWhole(`${another.url}/large.rpm`)).sha256).toBe(digestOf(LARGE));
    const [silent] = await another.logged('degraded, serving continues', { subject: 'object store' });
    expect(silent?.problem).toMatch(/: the store did not answer in time$/);
  });

  it('that break off are continued at the exact byte', async () => {
    const { asked, siteWith, objects } = await scene(workers);
    const site = await siteWith();
    const daemon = await site.serve();
    await save(daemon, '/large.rpm');
    let cuts = 0;
    objects.meddle(({ method, url = '' }, response) => {
      if (method !== 'GET' || !url.includes('.rpm') || cuts === 1) return false;
      cuts += 1;
      response.writeHead(200, { 'Content-Length': LARGE.length, ETag: '"any"' });
      response.write(LARGE.subarray(0, 3 * MIB), () => response.destroy());
      return true;
    });
    await expectHit(daemon, '/large.rpm');
    const [request] = await daemon.logged('request', { source: 'saved' });
    expect(request?.attempts).toMatchObject([
      { source: 'saved', from: 0, failure: { code: 'CONNECTION_LOST' } },
      { source: 'saved', from: expect.any(Number) },
    ]);
    expect([cuts, asked]).toEqual([1, ['/large.rpm']]);
  });

  it('whose bytes are not those that were stored are never served: the feed continues, and they go', async () => {
    const { asked, siteWith, objects } = await scene(workers);
    const site = await siteWith();
    const daemon = await site.serve();
    await save(daemon, '/large.rpm');
    const file = fileOf(objects, LARGE.length);
    const spoilt = Buffer.from(LARGE);
    spoilt[10 * MIB] = (spoilt[10 * MIB] ?? 0) ^ 1;
    writeFileSync(file, spoilt);
    const part = await askWhole(`${daemon.url}/large.rpm`, { Range: `bytes=${10 * MIB - 5}-${10 * MIB + 5}` });
    expect([part.status, part.sha256]).toEqual([206, digestOf(LARGE.subarray(10 * MIB - 5, 10 * MIB + 6))]);
    const [failed] = await daemon.logged('saving failed', { error: /its sha256 is .*; it was removed$/ });
    expect(failed).toBeDefined();
    expect(objects.names()).toEqual([]);

    await saveAgain(daemon, 2, '/large.rpm');
    writeFileSync(fileOf(objects, LARGE.length), spoilt);
    // From the beginning: the bytes before the wrong block were right, and the feed sends the rest.
    expect((await askWhole(`${daemon.url}/large.rpm`)).sha256).toBe(digestOf(LARGE));
    expect(asked).toHaveLength(4);
  });

  it('that another program replaced or removed are not served', async () => {
    const { siteWith, objects } = await scene(workers);
    const site = await siteWith();
    const daemon = await site.serve();
    await save(daemon, '/small.rpm');
    const Key = objects.names().find((name) => name.endsWith('.rpm'));
    await objects.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: someBytes(SMALL.length) }));
    expect((await askWhole(`${daemon.url}/small.rpm`)).sha256).toBe(digestOf(SMALL));
    await daemon.logged('saving failed', { error: /its sha256 is .*; it was removed$/ });
    await saveAgain(daemon, 2, '/small.rpm');
    await objects.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
    await saveAgain(daemon, 3, '/small.rpm');
    await expectHit(daemon, '/small.rpm');
  });

  it('that are gone are not taken for saved because their description is left', async () => {
    const { siteWith, objects } = await scene();
    const site = await siteWith();
    const daemon = await site.serve();
    await save(daemon, '/small.rpm');
    const Key = objects.names().find((name) => name.endsWith('.rpm'));
    await objects.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
    objects.meddle(({ method }, response) => {
      if (method !== 'PUT') return false;
      response.writeHead(403).end('<Error><Code>AccessDenied</Code><Message>no</Message></Error>');
      return true;
    });
    expect((await askWhole(`${daemon.url}/small.rpm`)).sha256).toBe(digestOf(SMALL));
    await daemon.logged('save failed, retrying', { path: '/small.rpm' });
    objects.meddle(() => undefined);
    await daemon.logged('saved', { path: '/small.rpm' }, 2);
    await expectHit(daemon, '/small.rpm');
  });

  it('are stored without a condition if the store says that they are there, and they are not', async () => {
    const { siteWith, objects } = await scene();
    const site = await siteWith();
    const daemon = await site.serve();
    objects.meddle(({ headers }, response) => {
      if (headers['if-none-match'] === undefined) return false;
      response.writeHead(412).end('<Error><Code>PreconditionFailed</Code></Error>');
      return true;
    });
    await save(daemon, '/small.rpm', '/large.rpm');
    const [mended] = await daemon.logged('object store was wrong about an object, mended', {}, 2);
    expect(mended).toMatchObject({ level: 40, problem: expect.stringMatching(/^s3:\/\/copies\/site\/.*\.rpm: /) });
    await expectHit(daemon, '/small.rpm');
    await expectHit(daemon, '/large.rpm');
    expect(await unfinished(objects)).toBe(0);
  });

  it('are not waited for longer than a client should wait', async () => {
    const { siteWith, objects } = await scene();
    const site = await siteWith();
    const daemon = await site.serve();
    await save(daemon, '/small.rpm');
    await daemon.stop();
    const another = await site.serve();
    // Slower than the limit, and faster than any other: a hit would be one that was waited for.
    objects.meddle(({ method, url = '' }, response) => {
      if (method !== 'GET' || !url.includes('.json')) return false;
      const name = objects.names().find((one) => one.endsWith('.json')) ?? '';
      const description = readFileSync(join(objects.folder, name));
      response.writeHead(200, { 'Content-Length': description.length, ETag: '"any"' }).flushHeaders();
      setTimeout(() => response.end(description), 6_000);
      return true;
    });
    const { headers, sha256 } = await askWhole(`${another.url}/small.rpm`);
    expect([sha256, headers['cache-status']]).toEqual([digestOf(SMALL), expect.stringContaining('fwd')]);
  });

  it('are given up by a stop whose store takes nothing any more, and made up for by the next start', async () => {
    const { siteWith, objects } = await scene();
    const site = await siteWith({ stop_timeout: 1 });
    const daemon = await site.serve();
    objects.meddle(({ url = '' }) => url.includes('partNumber'));
    expect((await askWhole(`${daemon.url}/large.rpm`)).sha256).toBe(digestOf(LARGE));
    await until(() => objects.asked.some((one) => one.includes('partNumber')));
    // The store has two minutes for a part.
    expect(await daemon.stop()).toMatchObject({ status: 0 });
    objects.meddle(() => undefined);
    const again = await site.serve();
    await again.logged('saved', { path: '/large.rpm' });
    await until(async () => (await unfinished(objects)) === 0);
    await expectHit(again, '/large.rpm');
  });

  it('are shared by daemons with one bucket, which do not overwrite one another’s', async () => {
    const { asked, siteWith, objects } = await scene(workers);
    const [one, other] = await Promise.all([siteWith(), siteWith()].map(async (site) => (await site).serve()));
    if (!one || !other) throw new Error('no daemons');
    const both = [one, other];
    for (const path of ['/large.rpm', '/bare.rpm'] as const)
      expect(await Promise.all(both.map(async ({ url }) => (await askWhole(url + path)).sha256))).toEqual([
        digestOf(FILES[path]),
        digestOf(FILES[path]),
      ]);
    for (const daemon of both) {
      const recorded = await daemon.logged('request', { outcome: 'complete' }, 2);
      for (const { path } of recorded.filter(({ recorded }) => recorded)) await daemon.logged('saved', { path });
    }
    expect([objects.names().length, await unfinished(objects)]).toEqual([4, 0]);
    for (const daemon of both) for (const path of ['/large.rpm', '/bare.rpm'] as const) await expectHit(daemon, path);
    await save(one, '/small.rpm');
    await expectHit(other, '/small.rpm');
    expect(asked.filter((path) => path === '/small.rpm')).toHaveLength(1);
  });

  it('stay below the limit: the least recently used ones go', async () => {
    const { siteWith, objects } = await scene(workers);
    const site = await siteWith({ save_limit: 250_000 });
    const daemon = await site.serve();
    await save(daemon, '/small.rpm', '/bare.rpm');
    expect(objects.names()).toHaveLength(4);
    await askWhole(`${daemon.url}/large.rpm`);
    await daemon.logged('saving failed', { error: /it exceeds the limit of all copies/ });
    const more = await siteWith({ save_limit: 150_000 });
    await more.serve();
    await until(() => objects.names().length === 2);
  });

  it('say nothing about the secret key, whatever goes wrong', async () => {
    const { siteWith, objects } = await scene(workers);
    const site = await siteWith({ log_level: 'DEBUG', save_access_key: 'an-unknown-key' });
    const daemon = await site.serve();
    await askWhole(`${daemon.url}/small.rpm`);
    await daemon.logged('degraded, serving continues', { subject: 'object store' });
    const { stderr } = await daemon.stop();
    const lines = JSON.stringify(await firstValueFrom(daemon.log.pipe(toArray()))) + stderr;
    const shown = await site.run('check-config', '--print').catch(String);
    for (const text of [lines, shown, objects.asked.join()]) expect(text).not.toContain(ACCESS.secretAccessKey);
    expect(lines).toContain('No user exists with the provided access key ID');
  });
};

for (const workers of [1, 2])
  describeObjects(`copies in an object store, with ${workers} worker(s)`, copiesInAStore(workers));

describeObjects('the uploads of a worker that is killed', () => {
  it('are aborted by the one that takes its place, not those of the others, and its copies are made up for', async () => {
    const { siteWith, objects } = await scene(2);
    const site = await siteWith();
    const second = new Subject<void>();
    objects.meddle(({ url = '' }) => {
      if (!url.includes('partNumber=2')) return false;
      second.next();
      // Never answered.
      return true;
    });
    const daemon = await site.serve();
    const sending = firstValueFrom(second);
    expect((await askWhole(`${daemon.url}/large.rpm`)).sha256).toBe(digestOf(LARGE));
    await sending;
    const folder = join(site.stateDir, 'uploads');
    const [log = '', ...more] = readdirSync(folder);
    expect(more).toEqual([]);
    const { upload } = JSON.parse(readFileSync(join(folder, log), 'utf8').trim());
    const pid = Number(log.split('.')[1]);
    expect((await workersOf(site)).map((one) => one.pid)).toContain(pid);
    objects.meddle(() => false);
    process.kill(pid, 'SIGKILL');
    const isAborted = (one: string) =>
      one.startsWith('DELETE') && one.includes(`uploadId=${encodeURIComponent(upload)}`);
    await until(() => objects.asked.some(isAborted));
    await daemon.logged('worker replaced', {});
    await daemon.logged('saved', { path: '/large.rpm' });
    await until(async () => (await unfinished(objects)) === 0 && readdirSync(folder).length === 0);
    await expectHit(daemon, '/large.rpm');
  });
});
