import { mkdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { openSqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import { descriptorOf } from '../support/alternates.ts';
import { receive } from '../support/clients.ts';
import { startFeed, type TestFeed } from '../support/feeds.ts';
import { temporaryFolders } from '../support/folder.ts';
import * as hostile from '../support/hostile-metadata.ts';
import { sha256 } from '../support/importing.ts';
import { processes } from '../support/processes.ts';
import { itNeeding, makeFilesRepository } from '../support/repositories.ts';
import { type DaemonProcess, type LogLine, makeSite, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const start = processes();
const folder = temporaryFolders();
const itWithTools = itNeeding(['bzip2']);

interface Harm {
  /** Names the repository. */
  readonly id: string;
  /** Whether it is the suite `stable` of a Debian repository. Default: a yum repository. */
  readonly isDeb?: boolean;
  readonly make: () => hostile.HostileFiles | Promise<hostile.HostileFiles>;
  /** What the operator reads about it. */
  readonly reason: RegExp;
}

/** A daemon's settings, and what harms the process that reads metadata with them. */
interface Group {
  readonly what: string;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly harms: readonly Harm[];
}

const ended = (place: string, why: string): RegExp =>
  new RegExp(`${place}, after \\d+ bytes: the process that reads metadata ended: ${why}$`);

const GROUPS: readonly Group[] = [
  {
    what: 'beyond a bound, or too much for JavaScript objects or for the time',
    settings: { metadata_memory: '256 MiB', metadata_timeout: 3 },
    harms: [
      { id: 'nested', make: hostile.nested, reason: /primary\.xml: 1:\d+: more than 64 nested elements$/ },
      { id: 'attribute', make: hostile.hugeAttribute, reason: /primary\.xml: 1:\d+: more than 1048576 characters in/ },
      { id: 'bomb', make: hostile.bomb, reason: /primary\.xml\.xz: more than 67108864 bytes after decompression$/ },
      { id: 'endless', make: () => ({}), reason: /primary\.xml: more than 5000000 bytes after decompression$/ },
      {
        id: 'heap',
        make: hostile.longNames,
        isDeb: true,
        reason: ended('Index\\.gz', 'it needs more than 64 MiB of JavaScript objects'),
      },
      {
        id: 'time',
        make: hostile.tedious,
        reason: ended(
          'primary\\.xml\\.gz',
          'it (worked for 3000 ms and produced nothing|produced nothing for 30000 ms)',
        ),
      },
    ],
  },
  {
    what: 'too much for the memory of its decoders',
    settings: { metadata_memory: '128 MiB' },
    harms: [
      {
        id: 'dictionary',
        make: hostile.largeDictionary,
        reason: ended('primary\\.xml\\.xz', 'it needs more than 128 MiB of memory'),
      },
      {
        id: 'window',
        make: hostile.largeWindow,
        reason: ended('primary\\.xml\\.zst', 'it needs more than 128 MiB of memory'),
      },
      {
        id: 'buffers',
        make: hostile.eagerDecoder,
        reason: ended('primary\\.xml\\.bz2', 'it needs more than \\d+ MiB of (memory|JavaScript objects)'),
      },
    ],
  },
];

/** Serves contents, and below `/endless` packages that never end, as fast as they are read. */
const serving =
  (contents: ReadonlyMap<string, string | Uint8Array>): RequestListener =>
  (request, response) => {
    if (!request.url?.startsWith('/endless/')) {
      const content = contents.get(request.url ?? '');
      return content === undefined ? response.writeHead(404).end() : response.end(content);
    }
    if (request.url.endsWith('repomd.xml'))
      return response.end(
        `<repomd><data type="primary"><checksum type="sha256">${sha256('')}</checksum><location href="primary.xml"/><open-size>5000000</open-size></data></repomd>`,
      );
    if (!request.url.endsWith('primary.xml')) return response.writeHead(404).end();
    if (request.method === 'HEAD') return response.end();
    const one = `<package><name>bear</name><checksum type="sha256">${sha256('')}</checksum><location href="bear.rpm"/></package>`;
    const piece = one.repeat(500);
    response.write('<metadata>');
    const more = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    return more();
  };

/** A site with one honest repository below /f, whose file is requested meanwhile. */
const makeHonest = async (settings: Group['settings']): Promise<{ site: Site; conf: string }> => {
  const honest = folder();
  makeFilesRepository(honest, { 'a.iso': 'A' });
  const home = folder();
  const site = makeSite(start, home, settings);
  await site.run('catalog', 'import', 'files', honest, '--prefix', '/f');
  return { site, conf: join(home, 'conf.d') };
};

/** Milliseconds between two requests: each is a line of the log. */
const PACE = 20;

/**
 * Requests an honest file again and again until the daemon has logged what came of each harm, which must be
 * as expected. Each request must be answered. Resolves to the lines.
 */
const duringRequests = async (
  { url }: DaemonProcess,
  harms: readonly Harm[],
  logged: (harm: Harm) => Promise<LogLine[]>,
): Promise<readonly (LogLine | undefined)[]> => {
  let over = false;
  const all = Promise.all(harms.map(async (harm) => (await logged(harm))[0])).finally(() => {
    over = true;
  });
  let count = 0;
  for (; !over; count += 1) {
    expect(await receive(`${url}/f/a.iso`)).toMatchObject({ status: 200, bytes: 1 });
    await setTimeout(PACE);
  }
  expect(count).toBeGreaterThan(0);
  const lines = await all;
  for (const [at, { reason }] of harms.entries()) expect(lines[at]?.error).toMatch(reason);
  return lines;
};

/** Repositories of a catalog, imported long ago, or to be learned when clients ask for them. */
const remember = ({ stateDir }: Site, feed: TestFeed, harms: readonly Harm[], how: object): void => {
  const catalog = openSqliteCatalog(join(stateDir, 'catalog.db'));
  const importerId = catalog.importers.ensure({}).id;
  const unknown = { selection: {}, strict: false, packages: 0, metadata: 0, succeeded: 0, attempted: 0 };
  for (const { id, isDeb } of harms)
    catalog.repositories.save({
      ...{ prefix: `/${id}`, importerId, format: isDeb ? 'deb' : 'yum', base: `${feed.url}/${id}/` },
      ...{ ...unknown, selection: isDeb ? { suites: ['stable'] } : {}, ...how },
    });
  catalog.close();
};

/** An alternate source, as `sources list --json` shows it. */
interface Listed {
  readonly id: string;
  readonly state: string;
  readonly failed: readonly { readonly error: string }[];
  readonly retry: string;
}

/** The daemon serves as soon as it is ready, and a file at once. */
const servesAtOnce = async (site: Site): Promise<DaemonProcess> => {
  const daemon = await site.serve();
  expect(await receive(`${daemon.url}/f/a.iso`)).toMatchObject({ status: 200, bytes: 1 });
  return daemon;
};

/** A killed daemon is started again, and serves at once. */
const survives = async (site: Site, daemon: DaemonProcess): Promise<void> => {
  daemon.kill('SIGKILL');
  await daemon.ended;
  expect((await (await servesAtOnce(site)).stop()).status).toBe(0);
};

describe.each(GROUPS)('metadata that is $what costs only its refresh, and is shown:', ({ settings, harms }) => {
  let feed: TestFeed;
  beforeAll(async () => {
    const made = new Map<string, string | Uint8Array>();
    for (const { id, make } of harms)
      for (const [name, content] of Object.entries(await make())) made.set(`/${id}/${name}`, content);
    feed = await startFeed(serving(made));
  });
  afterAll(() => feed.close());

  itWithTools('that of alternate sources', async () => {
    const { site, conf } = await makeHonest(settings);
    mkdirSync(conf, { recursive: true });
    for (const { id, isDeb } of harms)
      writeFileSync(
        join(conf, `${id}.conf`),
        descriptorOf(id, `${feed.url}/${id}`, isDeb ? { type: 'deb', paths: 'dists/stable' } : {}),
      );
    const started = Date.now();
    const daemon = await servesAtOnce(site);
    const lines = await duringRequests(daemon, harms, ({ id }) =>
      daemon.logged('alternate source not refreshed, retrying', { source: id }),
    );
    for (const line of lines) expect(line?.retryInMs).toBeGreaterThan(0);
    let shown = '';
    let listed: readonly Listed[] = [];
    const find = (id: string) => listed.find((one) => one.id === id);
    // Between two tries.
    await until(async () => {
      shown = await site.run('sources', 'list');
      listed = JSON.parse(await site.run('sources', 'list', '--json'));
      return harms.every(({ id }) => find(id)?.state !== 'refreshing' && shown.includes(find(id)?.retry ?? '-'));
    });
    for (const { id, reason } of harms) {
      const found = find(id);
      expect(found).toMatchObject({ state: 'stale', failed: [{ error: expect.stringMatching(reason) }] });
      expect(Date.parse(found?.retry ?? '')).toBeGreaterThan(started);
      expect(shown).toContain(`: ${found?.failed[0]?.error}\tnext try ${found?.retry}\n`);
    }
    await survives(site, daemon);
  });

  itWithTools('that of imports', async () => {
    const { site } = await makeHonest(settings);
    remember(site, feed, harms, { every: 3600, succeeded: 1 });
    const daemon = await servesAtOnce(site);
    await duringRequests(daemon, harms, ({ id }) =>
      daemon.logged('repository not refreshed, retrying', { prefix: `/${id}` }),
    );
    const shown = await site.run('catalog', 'list');

    const listed: readonly { prefix: string; error: string; failed: string; retry: string }[] = JSON.parse(
      await site.run('catalog', 'list', '--json'),
    );
    for (const { id, reason } of harms) {
      const found = listed.find(({ prefix }) => prefix === `/${id}`);
      expect(found?.error).toMatch(reason);
      expect(Date.parse(found?.retry ?? '')).toBeGreaterThan(Date.parse(found?.failed ?? ''));
      expect(shown).toContain(`next try ${found?.retry}\tfailed: ${found?.error}`);
    }
    await survives(site, daemon);
  });

  itWithTools('that of followed feeds, which are not read again for the next client', async () => {
    const { site } = await makeHonest(settings);
    remember(site, feed, harms, { follows: true });
    const daemon = await servesAtOnce(site);
    const asked = () => feed.requests.filter(({ url }) => /primary|Index/.test(url ?? '')).length;
    const ask = () =>
      Promise.all(
        harms.map(({ id, isDeb }) =>
          receive(`${daemon.url}/${id}/${isDeb ? 'dists/stable/Release' : 'repodata/repomd.xml'}`),
        ),
      );
    const before = asked();

    // Nothing signs these feeds: clients get their own files.
    const answers = ask();
    await duringRequests(daemon, harms, ({ id }) =>
      daemon.logged('followed repository not compared with its feed', { prefix: `/${id}` }),
    );
    expect((await answers).map(({ status }) => status)).toEqual(harms.map(() => 200));
    const after = asked();
    expect(after).toBeGreaterThan(before);
    await ask();
    expect(asked()).toBe(after);

    const listed: readonly { prefix: string; error: string }[] = JSON.parse(
      await site.run('catalog', 'list', '--json'),
    );
    for (const { id, reason } of harms) expect(listed.find(({ prefix }) => prefix === `/${id}`)?.error).toMatch(reason);
    await survives(site, daemon);
  });
});
