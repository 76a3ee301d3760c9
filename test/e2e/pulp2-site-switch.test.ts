import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it as plainIt } from '@jest/globals';
import { type Document, Int32, ObjectId } from 'mongodb';
import { loadSettings } from '../../src/config/load.ts';
import { descriptorOf } from '../support/alternates.ts';
import { askWhole } from '../support/clients.ts';
import { digestOf } from '../support/collect.ts';
import { filesBelow, temporaryFolders } from '../support/folder.ts';
import { describeMongo, type MongoServer, mongodb, serverName } from '../support/mongodb.ts';
import { freePorts } from '../support/ports.ts';
import { processes } from '../support/processes.ts';
import { connectionTo } from '../support/pulp2/connection.ts';
import { startOldStreamer } from '../support/pulp2/old-streamer.ts';
import { CONTENT, SHA256, type Shape } from '../support/pulp2/shapes.ts';
import { fileOf, SHIPPED_SETTINGS } from '../support/pulp2/shipped-settings.ts';
import { writeShape } from '../support/pulp2/write-shape.ts';
import { itNeeding, makeFilesRepository } from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { startSquid } from '../support/squid.ts';
import { linesForPulp, pulpsSquid } from '../support/squid-lines.ts';

const start = processes();
const folder = temporaryFolders();
const startFeed = closedFeeds();
const it = itNeeding(['squid']);

describe('the settings that Pulp 2 ships', () => {
  plainIt.each([
    ['in comments', '# '],
    ['spelled out', ''],
  ] as const)('%s mean what they mean to Pulp, without a warning', (_, comment) => {
    const home = folder();
    const standardFiles = Object.entries(SHIPPED_SETTINGS).map(([name, settings]) => {
      writeFileSync(join(home, name), fileOf(settings, comment));
      return join(home, name);
    });
    const { settings, warnings } = loadSettings({ standardFiles });
    const meant = Object.values(SHIPPED_SETTINGS).flatMap((all) => all.flatMap(({ means }) => (means ? [means] : [])));
    expect(settings).toMatchObject({ ...Object.fromEntries(meant), catalogType: 'mongodb', dispatch: 'deferred' });
    expect(warnings).toEqual([]);
  });
});

/** The digest of each file in a folder. */
const contentsOf = (home: string): Record<string, string> =>
  Object.fromEntries(filesBelow(home).map((file) => [file, digestOf(readFileSync(join(home, file)))]));

const idsOf = (documents: readonly Document[] = []): Set<string> => new Set(documents.map(({ _id }) => String(_id)));

describeMongo(`the switch of a Pulp 2 site, and the way back (${serverName})`, () => {
  const mongo = mongodb();
  let server: MongoServer;
  beforeAll(async () => {
    server = await mongo.server();
  });

  it('continues behind Squid, and leaves in the database what Pulp expects, and nothing else', async () => {
    const { name, pulp } = await mongo.database(server);
    const feed = await startFeed((_, response) =>
      response.writeHead(200, { 'Content-Length': CONTENT.length }).end(CONTENT),
    );
    const alternate = folder();
    makeFilesRepository(alternate, { 'bear.iso': CONTENT });
    const publish = (shape: Partial<Shape>) =>
      writeShape(pulp, { what: '', ...shape }, { feed: feed.url, offered: '' });
    const [before, during, after] = [await publish({}), await publish({}), await publish({})];
    const recorded = await publish({});
    const record = { _id: new ObjectId(), _ns: 'deferred_download', unit_id: recorded.unit_id, unit_type_id: 'rpm' };
    await pulp.insert('deferred_download', [record]);
    const onDisk = await publish({ type: 'iso', file: 'bear.iso', unit: { name: 'bear.iso' } });

    const pulps = folder();
    const storage = join(pulps, 'lib');
    const pki = join(storage, 'importers/zoo-yum_importer/pki');
    const sources = join(pulps, 'conf.d');
    for (const made of [pki, sources]) mkdirSync(made, { recursive: true });
    writeFileSync(join(pki, 'ca.crt'), 'unused');
    writeFileSync(join(sources, 'disk.conf'), descriptorOf('disk', alternate, { type: 'files' }));
    const connection = connectionTo(server.url, name);
    const own = { ...connection.database, storage_dir: storage };
    const shipped = SHIPPED_SETTINGS['server.conf'].map((one) => ({
      ...one,
      value: own[one.key as 'name'] ?? one.value,
    }));
    writeFileSync(join(pulps, 'server.conf'), fileOf(shipped, ''));

    const [port = 0] = await freePorts(1);
    const places = { port, content_sources_dir: sources, plugin_config_dir: pulps };
    const site = makeSite(start, folder(), { ...places, ...connection.streamer });
    const serve = () => site.serve('--config', join(pulps, 'server.conf'));
    const old = await startOldStreamer(port, CONTENT);
    const squid = await startSquid(start, folder(), `http://127.0.0.1:${port}`, () => pulpsSquid(linesForPulp()));
    const get = async ({ path }: { readonly path: string }, headers = {}) => {
      const { status, headers: got, sha256 } = await askWhole(squid.url + path, headers);
      return [status, String(got['x-cache']).split(' ')[0], sha256 === SHA256];
    };
    const [MISS, HIT] = [
      [200, 'MISS', true],
      [200, 'HIT', true],
    ];

    expect(await get(before)).toEqual(MISS);
    const [database, files] = [await pulp.dump(), contentsOf(pulps)];
    await old.stop();

    const daemon = await serve();
    await daemon.logged('alternate source refreshed', { source: 'disk' });
    expect([await get(before), await get(during), await get(onDisk)]).toEqual([HIT, MISS, MISS]);
    expect(await get(recorded)).toEqual(MISS);
    expect(feed.requests).toHaveLength(2);
    for (const { unit_id } of [during, onDisk, recorded]) await daemon.logged('save queued', { unit: unit_id });
    expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });

    // The way back: the port is free, Squid has what it had, and Pulp finds nothing that it does not know.
    const again = await startOldStreamer(port, CONTENT);
    expect([await get(during), await get(after)]).toEqual([HIT, MISS]);
    expect(contentsOf(pulps)).toEqual(files);
    const {
      deferred_download: records,
      content_catalog: offers,
      pulp_streamer_refreshes: refreshes,
      ...others
    } = await pulp.dump();
    const { deferred_download: noRecords, content_catalog: noOffers, ...othersBefore } = database;
    expect(others).toEqual(othersBefore);
    expect(records?.documents).toContainEqual(record);
    expect([records?.indexes, offers?.indexes]).toEqual([noRecords?.indexes, noOffers?.indexes]);
    expect(Object.keys(refreshes?.indexes ?? {})).toEqual(['_id_']);
    expect(idsOf(refreshes?.documents)).toEqual(new Set(['disk']));

    const unit_key = { name: 'bear.iso', checksum: SHA256, size: new Int32(CONTENT.length) };
    expect(offers?.documents).toEqual([
      {
        _id: expect.any(ObjectId),
        _ns: 'content_catalog',
        source_id: 'disk',
        expiration: expect.any(Int32),
        type_id: 'iso',
        unit_key,
        locator: await pulp.locator('iso', unit_key),
        url: pathToFileURL(join(alternate, 'bear.iso')).href,
      },
    ]);

    const taken = await pulp.takeRecords();
    const expected = { rpm: [recorded, during], iso: [onDisk] };
    expect(new Set(taken)).toEqual(
      new Set(
        Object.entries(expected).flatMap(([unit_type_id, units]) =>
          units.map(({ path, unit_id }) => ({ unit_id, unit_type_id, found: true, paths: [path] })),
        ),
      ),
    );
    expect(taken).toHaveLength(3);
    for (const { paths } of taken)
      for (const path of paths) expect(await get({ path }, { 'Pulp-Stream-Request': 'true' })).toEqual(HIT);
    expect(again.asked.map(({ path }) => path)).toEqual([after.path]);
    await again.stop();

    // And here again, with nothing to be recorded a second time.
    const newDaemon = await serve();
    await squid.stop();
    const { sha256 } = await askWhole(newDaemon.url + after.path, { 'Pulp-Stream-Request': 'true' });
    expect(sha256).toBe(SHA256);
    expect(await newDaemon.stop()).toMatchObject({ status: 0, stderr: '' });
    expect(await pulp.takeRecords()).toEqual([]);
  });
});
