import { randomUUID } from 'node:crypto';
import { beforeAll, expect, it as peerless } from '@jest/globals';
import { verifyUrl } from '../../src/http/signed-url.ts';
import { askWhole } from '../support/clients.ts';
import { digestOf } from '../support/collect.ts';
import { temporaryFolders } from '../support/folder.ts';
import { describeMongo, type MongoServer, mongodb, serverName } from '../support/mongodb.ts';
import { processes } from '../support/processes.ts';
import { stoppedSites } from '../support/pulp-site.ts';
import { AWKWARD_NAMES } from '../support/pulp2/names.ts';
import type { TakenRecord } from '../support/pulp2/pulp2.ts';
import { startPulpWeb } from '../support/pulp2/web.ts';
import { itNeeding } from '../support/repositories.ts';
import { KEYS } from '../support/signed-urls.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { startSquid } from '../support/squid.ts';
import { linesForPulp, pulpsSquid } from '../support/squid-lines.ts';
import { until } from '../support/until.ts';

const FOLDER = '/var/lib/pulp/content/units/iso/76/78177c241777af22235092f21c3932dd4f0664e1624e5a2c77a201ec70f930/';
const FORMS = ['raw', 'encoded'] as const;
const MISS = expect.stringMatching(/^MISS /);
const HIT = expect.stringMatching(/^HIT /);

const start = processes();
const startSite = stoppedSites();
const folder = temporaryFolders();
const startFeed = closedFeeds();
const it = itNeeding(['apache2', 'squid']);

/** What a feed has under a name. */
const contentOf = (name: string): Buffer => Buffer.from(`the content of ${name}`);

/** Whether the streamer itself would accept this URL. */
const accepts = (url: string): boolean =>
  verifyUrl(url, { key: KEYS.publicKey, remoteIp: '127.0.0.1', now: Math.floor(Date.now() / 1000) }).valid;

describeMongo(`names on a site of Pulp 2’s (${serverName})`, () => {
  const mongo = mongodb();
  let server: MongoServer;
  beforeAll(async () => {
    server = await mongo.server();
  });

  /** Pulp's web server, Squid, the streamer, and a feed that has a file of every name. */
  const open = async () => {
    const { name: database, pulp } = await mongo.database(server);
    const feed = await startFeed(({ url = '' }, response) => {
      if (/%(?![0-9a-f]{2})/i.test(url)) response.writeHead(400).end('not a URL');
      else response.end(contentOf(decodeURIComponent(url.slice(1))));
    });
    const site = await startSite(folder(), server, database, ['dispatch: deferred']);
    const squid = await startSquid(start, folder(), site.url, () => pulpsSquid(linesForPulp()));
    const web = await startPulpWeb(start, folder(), { squid: squid.url, key: KEYS.privateKey });
    const importer_id = await pulp.importer({});

    /** Writes what a synchronisation with deferred download and a publication leave. Resolves to the unit's id. */
    const publish = async ({ name, url = name }: { readonly name: string; readonly url?: string }): Promise<string> => {
      const unit_id = randomUUID();
      const checksum = digestOf(contentOf(name));
      const unit = { _id: unit_id, _ns: 'units_iso', name, checksum, size: contentOf(name).length };
      await pulp.insert('units_iso', [{ ...unit, _content_type_id: 'iso', downloaded: false }]);
      const entry = { path: FOLDER + name, importer_id, unit_id, unit_type_id: 'iso', url: `${feed.url}/${url}` };
      await pulp.entry({ ...entry, checksum, algorithm: 'sha256' });
      web.publish(name, FOLDER + name);
      return unit_id;
    };
    /** Requests a file from Pulp, follows the redirect, and reports the response. */
    const get = async (name: string, form: (typeof FORMS)[number], headers = {}) => {
      const { headers: sent } = await askWhole(`${web.url}/pulp/${form}/${encodeURIComponent(name)}`);
      const location = String(sent.location);
      const { status, headers: got, sha256 } = await askWhole(location, headers);
      const right = sha256 === digestOf(contentOf(name));
      return { name, form, status, cache: got['x-cache'], right, accepted: accepts(location) };
    };
    /** Takes records until there are at least `count`. */
    const records = async (count: number): Promise<TakenRecord[]> => {
      const taken: TakenRecord[] = [];
      await until(async () => taken.push(...(await pulp.takeRecords())) >= count);
      return taken;
    };
    return { feed, publish, get, records };
  };

  it('arrive from signed URLs through Apache and Squid, are cached once, and end in records whose units Pulp finds', async () => {
    const { feed, publish, get, records } = await open();
    const units = new Map<string, string>();
    for (const one of AWKWARD_NAMES) units.set(one.name, await publish(one));
    const got = [];
    for (const form of FORMS) got.push(...(await Promise.all(AWKWARD_NAMES.map(({ name }) => get(name, form)))));
    const expected = FORMS.flatMap((form) =>
      AWKWARD_NAMES.map(({ name }) => ({
        name,
        form,
        status: 200,
        cache: form === 'raw' ? MISS : HIT,
        right: true,
        // What was signed is read as a URL, in which an escape is another character.
        accepted: form === 'encoded' || !/%[0-9a-f]{2}/i.test(name),
      })),
    );
    expect(got).toEqual(expected);
    expect(feed.requests).toHaveLength(AWKWARD_NAMES.length);

    const taken = await records(AWKWARD_NAMES.length);
    const byUnit = (a: { unit_id: string }, b: { unit_id: string }) => (a.unit_id < b.unit_id ? -1 : 1);
    expect(taken.toSorted(byUnit)).toEqual(
      [...units]
        .map(([name, unit_id]) => ({ unit_id, unit_type_id: 'iso', found: true, paths: [FOLDER + name] }))
        .sort(byUnit),
    );
  });

  it('that Apache refuses do not reach the feed, and downloads by Pulp itself leave no record', async () => {
    const { feed, publish, get, records } = await open();
    await publish({ name: 'what?', url: 'what%3F' });
    // Since 2.4.60: a rewrite rule would take the rest for a query.
    expect(await get('what?', 'raw')).toMatchObject({ status: 403 });
    expect(feed.requests).toHaveLength(0);

    await publish({ name: 'by Pulp', url: 'by%20Pulp' });
    const unit_id = await publish({ name: 'by a client', url: 'by%20a%20client' });
    expect(await get('by Pulp', 'encoded', { 'Pulp-Stream-Request': 'true' })).toMatchObject({
      status: 200,
      right: true,
    });
    expect(await get('by a client', 'encoded')).toMatchObject({ status: 200, right: true });
    expect(await records(1)).toMatchObject([{ unit_id }]);
  });

  peerless(
    'are told apart if one is the percent-encoded form of the other: the target itself counts first, as in Pulp',
    async () => {
      const { name: database, pulp } = await mongo.database(server);
      const feed = await startFeed(({ url }, response) => response.end(url));
      const site = await startSite(folder(), server, database);
      const entry = { importer_id: await pulp.importer({}), unit_id: 'a', unit_type_id: 'iso' };
      const body = async (target: string) => (await askWhole(site.url + target)).body.toString();
      await pulp.entry({ ...entry, path: '/a+b', url: `${feed.url}/plus` });
      expect(await body('/a%2Bb')).toBe('/plus');
      await pulp.entry({ ...entry, path: '/x/a+b', url: `${feed.url}/plus` });
      await pulp.entry({ ...entry, path: '/x/a%2Bb', url: `${feed.url}/escape` });
      expect([await body('/x/a+b'), await body('/x/a%2Bb'), await body('/x/a%252Bb')]).toEqual([
        '/plus',
        '/escape',
        '/escape',
      ]);
    },
  );
});
