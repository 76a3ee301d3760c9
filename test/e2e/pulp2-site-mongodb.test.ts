import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, it } from '@jest/globals';
import { type Document, MongoClient, ReadPreference } from 'mongodb';
import { descriptorOf } from '../support/alternates.ts';
import { askWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { describeMongoItself, describeReplicaSet, mongodb, serverName } from '../support/mongodb.ts';
import { stoppedSites } from '../support/pulp-site.ts';
import { CONTENT, SHA256, type Shape } from '../support/pulp2/shapes.ts';
import { writeShape } from '../support/pulp2/write-shape.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const startFeed = closedFeeds();
const startSite = stoppedSites();
const folder = temporaryFolders();
const clients: MongoClient[] = [];
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));

/** Opens a site of Pulp 2's whose alternate source `disk` has the one file, and another client of its database. */
const open = async ({ server: serverOf, database }: ReturnType<typeof mongodb>, more: readonly string[] = []) => {
  const server = await serverOf();
  const { name, pulp } = await database(server);
  const feed = await startFeed((_, response) =>
    response.writeHead(200, { 'Content-Length': CONTENT.length }).end(CONTENT),
  );
  const site = await startSite(folder(), server, name, ['dispatch: deferred', ...more]);
  const home = folder();
  const file = join(home, 'bear.rpm');
  writeFileSync(file, CONTENT);
  writeFileSync(join(site.sourcesDir, 'disk.conf'), descriptorOf('disk', home, { type: 'files' }));
  site.daemon.streamer.alternates.reload();
  const client = new MongoClient(server.url);
  clients.push(client);
  const publish = (shape: Partial<Shape> = {}) =>
    writeShape(pulp, { what: '', ...shape }, { feed: feed.url, offered: pathToFileURL(file).href });
  return { pulp, site, publish, db: client.db(name) };
};

/** The collections that requests use, and the operation there. */
const ASKED = [
  'query content_catalog',
  'query lazy_content_catalog',
  'query repo_importers',
  'query units_rpm',
  'update deferred_download',
];

describeMongoItself(`requests on a site of Pulp 2’s (${serverName})`, () => {
  const mongo = mongodb();

  it('use only Pulp’s own indexes, according to MongoDB’s profiler', async () => {
    const { pulp, site, publish, db } = await open(mongo);
    await pulp.entries(5_000, '/many/%d/bear.rpm', 'http://feed.example.com/%d');
    const [fromFeed, fromDisk] = [await publish(), await publish({ offer: {} })];

    await db.command({ profile: 2 });
    for (const { path } of [fromFeed, fromDisk])
      expect(await askWhole(site.url + path)).toMatchObject({ status: 200, sha256: SHA256 });
    expect(await askWhole(`${site.url}/unknown`)).toMatchObject({ status: 404 });
    await until(async () => (await db.collection('deferred_download').countDocuments()) === 2);
    await db.command({ profile: 0 });

    const profile = await db.collection('system.profile').find({ appName: 'pulp-streamer' }).toArray();
    // A refresh of alternate sources, which runs in the background, also finds offers by other fields.
    const ofRequests = profile.filter(
      ({ ns, command }: Document) => !ns.endsWith('.content_catalog') || command?.filter?.locator !== undefined,
    );
    const plans = new Map<string, Set<string>>();
    for (const { op, ns, planSummary } of ofRequests) {
      const what = `${op} ${String(ns).slice(db.databaseName.length + 1)}`;
      if (planSummary !== undefined) plans.set(what, (plans.get(what) ?? new Set()).add(planSummary));
    }
    expect(Object.fromEntries(plans)).toMatchObject(Object.fromEntries(ASKED.map((what) => [what, expect.anything()])));
    for (const [what, summaries] of plans)
      for (const summary of summaries) expect(`${what}: ${summary}`).not.toMatch(/COLLSCAN/);
  });
});

describeReplicaSet(`a replica set below a site of Pulp 2’s (${serverName})`, (setName) => {
  const mongo = mongodb();

  it('is found by its name, and its secondaries get the records', async () => {
    const { site, publish, db } = await open(mongo, [`database_replica_set: ${setName}`]);
    const { path, unit_id } = await publish();
    expect(await askWhole(site.url + path)).toMatchObject({ status: 200, sha256: SHA256 });
    for (const mode of ['primary', 'secondaryPreferred'] as const) {
      const records = db.collection('deferred_download', { readPreference: ReadPreference.fromString(mode) });
      const majority = { readConcern: { level: 'majority' as const } };
      await until(async () => (await records.find({ unit_id }, majority).toArray()).length === 1);
    }
  });
});
