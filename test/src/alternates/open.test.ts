import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { filter, firstValueFrom, lastValueFrom, Subject, toArray } from 'rxjs';
import {
  type Candidate,
  lazyFetch,
  type RefreshEvent,
  type Report,
  refreshOnce,
  type StreamEvent,
  sourceName,
} from '../../../pipelines/index.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import { files, yum } from '../../../src/alternates/catalogers/index.ts';
import { rhui } from '../../../src/alternates/catalogers/rhui.ts';
import type { AlternateSource } from '../../../src/alternates/descriptors/parse.ts';
import { newDigest } from '../../../src/app/compose.ts';
import { openSqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import { sqliteRefreshStore } from '../../../src/catalog/sqlite/refresh-store.ts';
import { messageOf } from '../../../src/lib/thrown.ts';
import type { FoundUnit } from '../../../src/repositories/format.ts';
import { apart } from '../../../src/repositories/reader/apart.ts';
import { yum as format } from '../../../src/repositories/yum.ts';
import { feedCandidates } from '../../../src/sources/feed/candidates.ts';
import { makeAlternates, type TestAlternates } from '../../support/alternates.ts';
import { flood, serveContents, startFeed, type TestFeed } from '../../support/feeds.ts';
import { importFolder } from '../../support/importing.ts';
import { aPolicy, aRequest } from '../../support/pipeline.ts';
import { makeFilesRepository } from '../../support/repositories.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const newFolder = temporaryFolders();
const ZOO = join(import.meta.dirname, '../../../examples/zoo');
const BEAR = 'Packages/bear-4.1-1.noarch.rpm';
const bear = readFileSync(join(ZOO, BEAR));

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
const make = (parts: Parameters<typeof makeAlternates>[1] = {}, folder = newFolder()): TestAlternates => {
  const made = makeAlternates(folder, parts);
  ends.push(made.end);
  return made;
};
const serve = async (listener: Parameters<typeof startFeed>[0]): Promise<TestFeed> => {
  const feed = await startFeed(listener);
  ends.push(feed.close);
  return feed;
};
const copyOfZoo = (): string => {
  const folder = newFolder();
  cpSync(ZOO, folder, { recursive: true });
  return folder;
};
const refresh = (alternates: TestAlternates, source: AlternateSource): Promise<RefreshEvent<AlternateSource>[]> =>
  lastValueFrom(refreshOnce(source, alternates).pipe(toArray()));
const entryOf = ({ catalog }: TestAlternates, path: string) => {
  const [entry] = catalog.entries.find(path);
  if (!entry) throw new Error(`${path} is not in the catalog`);
  return entry;
};
const find = (alternates: TestAlternates, path: string): Promise<Candidate[]> =>
  firstValueFrom(alternates.find(entryOf(alternates, path)).pipe(toArray()));

/** The result of a client's request for a path, and the requests that it caused. */
const fetch = async (alternates: TestAlternates, path: string): Promise<{ body: Buffer; report: Report }> => {
  const events: StreamEvent[] = await lastValueFrom(
    lazyFetch(aRequest({ path }), {
      catalog: alternates.catalog,
      sources: [alternates.find, feedCandidates(alternates.catalog)],
      open: alternates.open,
      newDigest: newDigest,
      policy: aPolicy({ headTimeout: 10_000, readTimeout: 10_000 }),
      random: Math.random,
    })(OPEN).pipe(toArray()),
  );
  const end = events.at(-1);
  if (end?.type !== 'end') throw new Error('no end');
  return {
    body: Buffer.concat(events.flatMap((event) => (event.type === 'chunk' ? [event.bytes] : []))),
    report: end.report,
  };
};
const attemptsOf = ({ attempts }: Report): string[] =>
  attempts.map(({ source, failure }) => `${source} ${failure?.code ?? 'ok'}`);

describe('a request for a unit that alternate sources offer', () => {
  /** The zoo is the feed, of which three sources have copies with priorities 2, 1 and 0. */
  const threeSources = async () => {
    const alternates = make();
    await importZoo(alternates);
    const copies = [copyOfZoo(), copyOfZoo(), copyOfZoo()] as const;
    const sources = copies.map((copy, index) => alternates.describe(`s${2 - index}`, copy, { priority: 2 - index }));
    for (const source of sources) await refresh(alternates, source);
    return { alternates, copies };
  };

  it('is taken from the lowest priority number, with a head made from the file', async () => {
    const { alternates } = await threeSources();
    const { body, report } = await fetch(alternates, `/zoo/${BEAR}`);
    expect(body.equals(bear)).toBe(true);
    expect(attemptsOf(report)).toEqual(['alternate:s0 ok']);
  });

  it('continues with the next source if a file is gone, then with the feed, each tried once', async () => {
    const { alternates, copies } = await threeSources();
    rmSync(join(copies[2], BEAR));
    const second = await fetch(alternates, `/zoo/${BEAR}`);
    expect(attemptsOf(second.report)).toEqual(['alternate:s0 SOURCE_MISSING', 'alternate:s1 ok']);
    rmSync(join(copies[1], BEAR));
    rmSync(join(copies[0], BEAR));
    const last = await fetch(alternates, `/zoo/${BEAR}`);
    expect(last.body.equals(bear)).toBe(true);
    expect(attemptsOf(last.report)).toEqual([
      'alternate:s0 SOURCE_MISSING',
      'alternate:s1 SOURCE_MISSING',
      'alternate:s2 SOURCE_MISSING',
      'feed:file ok',
    ]);
  });

  it('gets the right bytes if a source has different ones under the same name', async () => {
    const { alternates, copies } = await threeSources();
    appendFileSync(join(copies[2], BEAR), 'more');
    const { body, report } = await fetch(alternates, `/zoo/${BEAR}`);
    expect(body.equals(bear)).toBe(true);
    expect(attemptsOf(report).slice(-1)).toEqual(['alternate:s1 ok']);
  });

  it('skips sources that are disabled, unknown, or whose offers have expired', async () => {
    let now = Date.now();
    const alternates = make({ now: () => now });
    await importZoo(alternates);
    await refresh(alternates, alternates.describe('short', copyOfZoo(), { expires: '1h' }));
    await refresh(alternates, alternates.describe('long', copyOfZoo(), { expires: '2h', priority: 1 }));
    alternates.catalog.content.add([
      {
        sourceId: 'unknown',
        typeId: 'rpm',
        unitKey: alternates.catalog.units.find('rpm', entryOf(alternates, `/zoo/${BEAR}`).unitId) ?? {},
        url: 'file:///etc/passwd',
        expiration: 9e9,
      },
    ]);
    const sources = async () => (await find(alternates, `/zoo/${BEAR}`)).map(({ source }) => sourceName(source));
    expect(await sources()).toEqual(['alternate:short', 'alternate:long']);
    alternates.describe('long', ZOO, { priority: -1, expires: '2h' });
    // Its base has changed: its offers are outside the new one.
    expect(await sources()).toEqual(['alternate:short']);
    now += 3_601_000;
    alternates.describe('short', ZOO, { expires: '1h' });
    expect(await sources()).toEqual([]);
  });
});

/** The zoo as a feed at /zoo. */
const importZoo = ({ catalog }: TestAlternates) => importFolder(catalog, format, ZOO, '/zoo');

describe('a refresh', () => {
  it('catalogs the units of a source, reports progress, and makes the source fresh', async () => {
    const alternates = make();
    const source = alternates.describe('zoo', ZOO, { expires: '1h' });
    expect(await alternates.status(source)).toEqual({ offers: 0, state: 'stale', failed: [] });
    const events = await refresh(alternates, source);
    expect(events[0]?.type).toBe('started');
    expect(events.at(-1)).toEqual({ type: 'done', source, units: 5 });
    const { offers, state, expiration = 0 } = await alternates.status(source);
    expect([offers, state]).toEqual([5, 'fresh']);
    expect(Math.abs(expiration - Date.now() / 1000 - 3600)).toBeLessThan(60);
  });

  it('replaces the source’s old offers, and none of other sources', async () => {
    const alternates = make();
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'a', 'b.iso': 'b' });
    const source = alternates.describe('files', folder, { type: 'files' });
    const other = alternates.describe('zoo', ZOO);
    await refresh(alternates, source);
    await refresh(alternates, other);
    makeFilesRepository(folder, { 'b.iso': 'b', 'c.iso': 'c', 'd.iso': 'd' });
    await refresh(alternates, source);
    expect(alternates.catalog.refreshes.search('iso', {}).map(({ unitKey }) => unitKey.name)).toEqual([
      'b.iso',
      'c.iso',
      'd.iso',
    ]);
    expect((await alternates.status(other)).offers).toBe(5);
  });

  it('whose process is killed keeps the old offers, and transfers go on', async () => {
    const module = new URL('../../support/readers.ts', import.meta.url).href;
    const dying = { ...files, type: 'dying', read: apart<FoundUnit>('killed', { module }) };
    const alternates = make({ catalogers: [yum, dying] });
    await importZoo(alternates);
    await refresh(alternates, alternates.describe('zoo', ZOO));
    const folder = newFolder();
    writeFileSync(join(folder, 'index'), 'abc');
    const failed = refresh(alternates, alternates.describe('killed', folder, { type: 'dying' }));
    const transfers = Array.from({ length: 20 }, () => fetch(alternates, `/zoo/${BEAR}`));
    await expect(failed).rejects.toThrow('index, after 3 bytes: the process that reads metadata ended: SIGSEGV');
    for (const { body } of await Promise.all(transfers)) expect(body.equals(bear)).toBe(true);
    expect((await find(alternates, `/zoo/${BEAR}`)).map(({ source }) => sourceName(source))).toEqual(['alternate:zoo']);
    expect(alternates.catalog.refreshes.search('iso', {})).toEqual([]);
  });

  it('leaves out what is odd, and says so', async () => {
    const left: unknown[] = [];
    const alternates = make({ onLeftOut: ({ id }, problem, count) => left.push([id, problem, count]) });
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'a' });
    appendFileSync(join(folder, 'PULP_MANIFEST'), 'odd\n'.repeat(1_000));
    const events = await refresh(alternates, alternates.describe('files', folder, { type: 'files' }));
    expect(events.at(-1)).toMatchObject({ type: 'done', units: 1 });
    const line = (number: number) => `PULP_MANIFEST: line ${number}: 'odd', expected NAME,SHA256,SIZE`;
    expect(left).toEqual([
      ...Array.from({ length: 20 }, (_, index) => ['files', line(index + 2), 1]),
      ['files', line(1_001), 980],
    ]);
  });

  it('that fails keeps the old offers and adds none', async () => {
    const alternates = make();
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'a' });
    const source = alternates.describe('files', folder, { type: 'files' });
    await refresh(alternates, source);
    const before = alternates.catalog.refreshes.search('iso', {});
    makeFilesRepository(folder, Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`${index}.iso`, 'x'])));
    appendFileSync(join(folder, 'PULP_MANIFEST'), 'x'.repeat(2 ** 21));
    await expect(refresh(alternates, source)).rejects.toThrow(
      'PULP_MANIFEST: line 901: a line is longer than 1048576 characters',
    );
    expect(alternates.catalog.refreshes.search('iso', {})).toEqual(before);
    expect((await alternates.status(source)).state).toBe('fresh');
  });

  it('covers all paths of a source, and is needed again when they change', async () => {
    const alternates = make();
    const folder = newFolder();
    makeFilesRepository(join(folder, 'one'), { 'a.iso': 'a' });
    makeFilesRepository(join(folder, 'two'), { 'b.iso': 'b' });
    const narrow = alternates.describe('files', folder, { type: 'files', paths: 'one' });
    await refresh(alternates, narrow);
    expect(await alternates.status(narrow)).toMatchObject({ offers: 1, state: 'fresh' });
    const wide = alternates.describe('files', folder, { type: 'files', paths: 'one \\\n two' });
    expect((await alternates.status(wide)).state).toBe('stale');
    await refresh(alternates, wide);
    expect(alternates.catalog.refreshes.search('iso', {}).map(({ url }) => url)).toEqual(
      ['one/a.iso', 'two/b.iso'].map((path) => `${pathToFileURL(folder).href}/${path}`),
    );
  });

  it('of an HTTP source uses its access, and stops at once when unsubscribed, leaving nothing', async () => {
    const { listener } = flood(Buffer.from(`${'x'.repeat(200)}.iso,${'a'.repeat(64)},1\n`.repeat(100_000)));
    const feed = await serve(listener);
    const alternates = make();
    const source = alternates.describe('web', feed.url, {
      type: 'files',
      basic_auth_username: 'me',
      basic_auth_password: 'secret',
      headers: 'X-One=1',
    });
    const running = refreshOnce(source, alternates).subscribe();
    await until(() => alternates.catalog.refreshes.count('web', 0) > 0);
    expect((await alternates.status(source)).state).toBe('refreshing');
    running.unsubscribe();
    await until(() => feed.connections.open.size === 0);
    expect(await alternates.status(source)).toEqual({ offers: 0, state: 'stale', failed: [] });
    expect(feed.requests[0]?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('me:secret').toString('base64')}`,
      'x-one': '1',
    });
  });

  it('closes its reads when unsubscribed, also if the source is silent', async () => {
    const feed = await serve((_, response) => {
      response.writeHead(200, { 'Content-Length': 1000 }).write('a');
    });
    const alternates = make();
    const running = refreshOnce(alternates.describe('web', feed.url), alternates).subscribe();
    await until(() => feed.requests.length > 0);
    running.unsubscribe();
    await until(() => feed.connections.open.size === 0);
  });

  it('does not start while another process has the lease', async () => {
    const folder = newFolder();
    const [one, two] = [make({}, folder), make({}, folder)];
    const source = one.describe('zoo', ZOO);
    const lease = new Subject<boolean>();
    const got = firstValueFrom(lease);
    const holding = one.lease('zoo').subscribe(lease);
    await got;
    expect(await refresh(two, source)).toEqual([{ type: 'busy', source }]);
    holding.unsubscribe();
    expect((await refresh(two, source)).at(-1)?.type).toBe('done');
  });
});

describe('a source with several paths', () => {
  const names = ({ catalog }: TestAlternates) =>
    catalog.refreshes.search('iso', {}).map(({ unitKey }) => String(unitKey.name));
  const offered = (alternates: TestAlternates) => [...new Set(names(alternates))].sort();
  /** Makes folders with one file each, named like the folder. */
  const folders = (base: string, ...paths: readonly string[]) => {
    for (const path of paths) makeFilesRepository(join(base, path), { [`${path}.iso`]: path });
  };
  /** The result of the next background refresh, as after a restart. */
  const next = (alternates: TestAlternates) =>
    firstValueFrom(alternates.refreshing.pipe(filter(({ type }) => type === 'done' || type === 'failed')));
  /** The requests that a feed got since the last call. */
  const requestsOf = (feed: TestFeed) => {
    let seen = 0;
    return () => {
      const urls = feed.requests.slice(seen).map(({ url }) => url);
      seen = feed.requests.length;
      return urls;
    };
  };

  it('loses only the offers of a dead path, and names it with the reason', async () => {
    const alternates = make();
    const base = newFolder();
    folders(base, 'a', 'c', 'd');
    const source = alternates.describe('files', base, { type: 'files', paths: 'a b c d' });
    await expect(refresh(alternates, source)).rejects.toMatchObject({
      name: 'PathsFailed',
      message: expect.stringMatching(/^1 of 4 paths cannot be cataloged: b\/: .*PULP_MANIFEST: no such file/),
      failures: [{ path: 'b/', expiration: 0, problem: expect.stringContaining('PULP_MANIFEST') }],
      units: 3,
    });
    expect(names(alternates)).toEqual(['a.iso', 'c.iso', 'd.iso']);
    const { failed, ...status } = await alternates.status(source);
    expect(status).toMatchObject({ offers: 3, state: 'stale', expiration: expect.any(Number) });
    expect(failed).toMatchObject([{ path: 'b/' }]);
    folders(base, 'b');
    await refresh(alternates, source);
    expect(await alternates.status(source)).toMatchObject({ offers: 4, state: 'fresh', failed: [] });
  });

  it('keeps the old offers of a path that fails, and renews the others', async () => {
    let now = Date.now();
    const alternates = make({ now: () => now });
    const base = newFolder();
    folders(base, 'a', 'b');
    const source = alternates.describe('files', base, { type: 'files', paths: 'a b' });
    await refresh(alternates, source);
    const before = await alternates.status(source);
    now += 10_000;
    makeFilesRepository(join(base, 'a'), { 'new.iso': 'new' });
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${index}.iso`, 'x']));
    makeFilesRepository(join(base, 'b'), many);
    appendFileSync(join(base, 'b/PULP_MANIFEST'), 'x'.repeat(2 ** 21));
    await expect(refresh(alternates, source)).rejects.toThrow('b/: PULP_MANIFEST: line 501: a line is longer');
    expect(names(alternates)).toEqual(['b.iso', 'new.iso']);
    const after = await alternates.status(source);
    expect([after.offers, after.state, after.expiration]).toEqual([2, 'fresh', before.expiration]);
  });

  it('retries only the failed path, and renews all before they expire', async () => {
    const contents = new Map<string, Uint8Array>();
    const offer = (path: string) =>
      contents.set(`/${path}/PULP_MANIFEST`, Buffer.from(`${path}.iso,${'a'.repeat(64)},1\n`));
    offer('a');
    offer('c');
    const feed = await serve((request, response) => serveContents(contents)(request, response));
    const requested = requestsOf(feed);
    const folder = newFolder();
    let now = Date.now();
    const restart = () => make({ now: () => now }, folder);
    restart().describe('files', feed.url, { type: 'files', paths: 'a b c', expires: '20h' });

    expect(await next(restart())).toMatchObject({ type: 'failed', error: { failures: [{ path: 'b/' }] } });
    expect(requested()).toEqual(['/a/PULP_MANIFEST', '/b/PULP_MANIFEST', '/c/PULP_MANIFEST']);
    expect(await next(restart())).toMatchObject({ type: 'failed', error: { failures: [{ path: 'b/' }], units: 0 } });
    expect(requested()).toEqual(['/b/PULP_MANIFEST']);
    now += 16.5 * 3_600_000;
    expect(await next(restart())).toMatchObject({ type: 'failed', error: { failures: [{ path: 'b/' }], units: 2 } });
    expect(requested()).toEqual(['/a/PULP_MANIFEST', '/b/PULP_MANIFEST', '/c/PULP_MANIFEST']);
    offer('b');
    const last = restart();
    expect(await next(last)).toMatchObject({ type: 'done', units: 1 });
    expect(requested()).toEqual(['/b/PULP_MANIFEST']);
    expect(offered(last)).toEqual(['a.iso', 'b.iso', 'c.iso']);
  });

  it('follows the redirects of one path, and loses only a path that redirects in circles', async () => {
    const manifest = (name: string) => Buffer.from(`${name},${'a'.repeat(64)},1\n`);
    const elsewhere = await serve(serveContents(new Map([['/moved/PULP_MANIFEST', manifest('moved.iso')]])));
    const contents = serveContents(new Map([['/a/PULP_MANIFEST', manifest('a.iso')]]));
    const feed = await serve((request, response) => {
      const [, first = ''] = (request.url ?? '').split('/');
      const to: Record<string, string> = { old: `${elsewhere.url}/moved/PULP_MANIFEST`, round: '/round/PULP_MANIFEST' };
      return to[first] ? response.writeHead(302, { Location: to[first] }).end() : contents(request, response);
    });
    const alternates = make();
    const source = alternates.describe('web', feed.url, { type: 'files', paths: 'old round a' });
    await expect(refresh(alternates, source)).rejects.toMatchObject({
      failures: [{ path: 'round/', problem: expect.stringContaining('max_redirects') }],
    });
    expect(names(alternates)).toEqual(['moved.iso', 'a.iso']);
    // Units are requested below base_url, and redirected again.
    expect(alternates.catalog.refreshes.search('iso', {}).map(({ url }) => url)).toEqual([
      `${feed.url}/old/moved.iso`,
      `${feed.url}/a/a.iso`,
    ]);
  });

  it('keeps the paths that were read when it is stopped, and continues with the others', async () => {
    const base = newFolder();
    const alternates = make({}, base);
    const listed = Buffer.from(`a.iso,${'a'.repeat(64)},1\n`);
    const endless = flood(Buffer.from(`${'x'.repeat(200)}.iso,${'a'.repeat(64)},1\n`.repeat(100_000)));
    const feed = await serve((request, response) =>
      request.url === '/a/PULP_MANIFEST' ? response.end(listed) : endless.listener(request, response),
    );
    const requested = requestsOf(feed);
    const source = alternates.describe('web', feed.url, { type: 'files', paths: 'a b' });
    const running = refreshOnce(source, alternates).subscribe();
    await until(() => alternates.catalog.refreshes.count('web', 0) > 1);
    running.unsubscribe();
    await until(() => alternates.catalog.refreshes.count('web', 0) === 1);
    await until(() => feed.connections.open.size === 0);
    expect(names(alternates)).toEqual(['a.iso']);
    requested();
    const again = alternates.refreshing.subscribe();
    await until(() => feed.requests.length > 2);
    again.unsubscribe();
    expect(requested()).toEqual(['/b/PULP_MANIFEST']);
  });

  it('reports a catalog that cannot be written, and blames no path', async () => {
    const base = newFolder();
    folders(base, 'a', 'b');
    const catalog = openSqliteCatalog(':memory:');
    ends.push(async () => catalog.close());
    const store = {
      ...sqliteRefreshStore(catalog),
      add: () => Promise.reject(new Error('the disk is full')),
    };
    const alternates = make({ store });
    const source = alternates.describe('files', base, { type: 'files', paths: 'a b' });
    await expect(refresh(alternates, source)).rejects.toMatchObject({ name: 'Error', message: 'the disk is full' });
    expect((await alternates.status(source)).failed).toEqual([]);
  });

  it('removes the offers of a removed path, and keeps those of a dead path inside another', async () => {
    const alternates = make();
    const base = newFolder();
    folders(base, 'a', 'gone');
    makeFilesRepository(join(base, 'a/inner'), { 'inner.iso': 'inner' });
    const describe = (paths: string) => alternates.describe('files', base, { type: 'files', paths });
    await refresh(alternates, describe('a a/inner gone'));
    expect(offered(alternates)).toEqual(['a.iso', 'gone.iso', 'inner.iso']);
    rmSync(join(base, 'a/inner'), { recursive: true });
    await expect(refresh(alternates, describe('a a/inner'))).rejects.toThrow('1 of 2 paths');
    expect(offered(alternates)).toEqual(['a.iso', 'inner.iso']);
  });
});

describe('alternate sources in the background', () => {
  it('are refreshed automatically, also later ones, and changes of their descriptors apply', async () => {
    const alternates = make();
    alternates.describe('zoo', ZOO);
    const done = new Subject<string>();
    const names: string[] = [];
    done.subscribe((name) => names.push(name));
    const running = alternates.refreshing
      .pipe(filter(({ type }) => type === 'done'))
      .subscribe(({ source }) => done.next(source.id));
    await until(() => names.length === 1);
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'a' });
    alternates.describe('files', folder, { type: 'files' });
    await until(() => names.length === 2);
    running.unsubscribe();
    expect(names).toEqual(['zoo', 'files']);
  });

  it('that fail are postponed, and report why', async () => {
    const alternates = make();
    alternates.describe('empty', newFolder());
    const event = await firstValueFrom(alternates.refreshing.pipe(filter(({ type }) => type === 'failed')));
    expect(event).toMatchObject({ type: 'failed', error: { code: 'SOURCE_MISSING' } });
  });

  it('show when they are tried again, until that is over or a refresh succeeds', async () => {
    let now = 1_500_000_000_000;
    const alternates = make({ now: () => now });
    const folder = newFolder();
    const source = alternates.describe('empty', folder, { type: 'files' });
    const nextTry = async () => (await alternates.status(source)).nextTry;
    const failed = () => firstValueFrom(alternates.refreshing.pipe(filter(({ type }) => type === 'failed')));
    expect(await failed()).toMatchObject({ delay: 30_000 });
    expect(await nextTry()).toBe(1_500_000_030);
    now += 30_000;
    expect(await nextTry()).toBeUndefined();
    await failed();
    expect(await nextTry()).toBe(1_500_000_060);
    makeFilesRepository(folder, { 'a.iso': 'a' });
    await refresh(alternates, source);
    expect(await nextTry()).toBeUndefined();
  });

  it('are put off also if the catalog cannot note that', async () => {
    const problems: string[] = [];
    const alternates = make({ onUnnoted: ({ id }, error) => problems.push(`${id}: ${messageOf(error)}`) });
    alternates.describe('empty', newFolder());
    const database = alternates.catalog.refreshes;
    database.putOff = () => {
      throw new Error('disk full');
    };
    expect(await firstValueFrom(alternates.refreshing.pipe(filter(({ type }) => type === 'failed')))).toBeTruthy();
    expect(problems).toEqual(['empty: disk full']);
  });
});

describe('a source of type rhui', () => {
  it('presents the identity of its instance, only to its own server, with metadata and with units', async () => {
    const contents = new Map(
      ['repodata/repomd.xml', BEAR].map((path) => [`/${path}`, readFileSync(join(ZOO, path))] as const),
    );
    const repomd = readFileSync(join(ZOO, 'repodata/repomd.xml'), 'utf8');
    for (const [, path = ''] of repomd.matchAll(/href="([^"]+)"/g))
      contents.set(`/${path}`, readFileSync(join(ZOO, path)));
    const feed = await serve(serveContents(contents));
    const me = await serve(
      serveContents(
        new Map([
          ['/document', Buffer.from('{"instance":1}')],
          ['/signature', Buffer.from('proof')],
        ]),
      ),
    );
    const urls = { document: `${me.url}/document`, signature: `${me.url}/signature` };
    const alternates = make({ catalogers: [rhui(yum, urls)] });
    await importZoo(alternates);
    await refresh(alternates, alternates.describe('cloud', feed.url, { type: 'rhui', headers: 'X-Own=1' }));
    const { body, report } = await fetch(alternates, `/zoo/${BEAR}`);
    expect(body.equals(bear)).toBe(true);
    expect(attemptsOf(report)).toEqual(['alternate:cloud ok']);
    for (const { headers } of feed.requests)
      expect(headers).toMatchObject({
        'x-own': '1',
        'x-rhui-id': Buffer.from('{"instance":1}').toString('base64'),
        'x-rhui-signature': Buffer.from('proof').toString('base64'),
      });
    // Asked for once, and without anything that is meant for the source.
    expect(me.requests.map(({ url }) => url).sort()).toEqual(['/document', '/signature']);
    expect(me.requests[0]?.headers['x-own']).toBeUndefined();
  });

  it('is skipped without an identity, which is not requested again at once', async () => {
    let now = Date.now();
    const me = await serve((_, response) => response.writeHead(404).end());
    const urls = { document: `${me.url}/document`, signature: `${me.url}/signature` };
    const alternates = make({ catalogers: [rhui(yum, urls), yum], now: () => now });
    await importZoo(alternates);
    const cloud = alternates.describe('cloud', ZOO, { type: 'rhui' });
    await expect(refresh(alternates, cloud)).rejects.toThrow('/document');
    const asked = () => me.requests.filter(({ url }) => url === '/document').length;
    expect(asked()).toBe(1);
    await expect(refresh(alternates, cloud)).rejects.toThrow('/document');
    expect(asked()).toBe(1);
    now += 61_000;
    await expect(refresh(alternates, cloud)).rejects.toThrow('/document');
    expect(asked()).toBe(2);
  });
});
