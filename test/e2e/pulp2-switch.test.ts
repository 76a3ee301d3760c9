import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { askWhole } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { describeMongo, type MongoServer, mongodb, serverName } from '../support/mongodb.ts';
import { processes } from '../support/processes.ts';
import { packagesIn } from '../support/pulp2/packages.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { temporaryFolders } from '../support/temporary.ts';

const start = processes();
const startFeed = closedFeeds();
const newFolder = temporaryFolders();

const CONTENT = someBytes(10_000);
const PACKAGES = 31;

describeMongo(`the switch from Pulp 2’s streamer, and the way back (${serverName})`, () => {
  const mongo = mongodb();
  let server: MongoServer;
  beforeAll(async () => {
    server = await mongo.server();
  });

  /** A site that has Pulp's own files, and says nothing about how content is saved. */
  const open = async () => {
    const { name, pulp } = await mongo.database(server);
    const feed = await startFeed((_, response) =>
      response.writeHead(200, { 'Content-Length': CONTENT.length }).end(CONTENT),
    );
    const publish = packagesIn(pulp, CONTENT);
    const paths: string[] = [];
    while (paths.length < PACKAGES) paths.push((await publish({ url: `${feed.url}/${paths.length}` })).path);
    const folder = newFolder();
    const site = makeSite(start, folder, { plugin_config_dir: folder });
    const storage = join(folder, 'pulp');
    mkdirSync(storage);
    const seeds = new URL(server.url).host;
    const pulps = join(folder, 'server.conf');
    writeFileSync(pulps, `[database]\nname: ${name}\nseeds: ${seeds}\n[server]\nstorage_dir: ${storage}\n[lazy]\n`);
    const records = async (): Promise<readonly string[]> => {
      const client = new MongoClient(server.url);
      try {
        const found = await client.db(name).collection('deferred_download').find().toArray();
        return found.map(({ unit_id, unit_type_id }) => `${unit_type_id} ${unit_id}`);
      } finally {
        await client.close();
      }
    };
    return { pulp, site, pulps, paths, records };
  };

  it('has Pulp download what clients asked for, keeps no copies, and changes nothing else', async () => {
    const { pulp, site, pulps, paths, records } = await open();
    const said = async (...args: string[]) => (await site.start(...args, '--config', pulps).ended).stdout.toString();
    expect(await said('check-config', '--print')).toMatch(
      /^dispatch +deferred +.*server\.conf: section \[database\]$/m,
    );
    const before = await pulp.state();

    const daemon = await site.serve('--config', pulps);
    for (const path of paths)
      expect(await askWhole(daemon.url + path)).toMatchObject({ status: 200, sha256: digestOf(CONTENT) });
    // Pulp itself comes for what was recorded; that is nothing new.
    await askWhole(daemon.url + paths[0], { 'Pulp-Stream-Request': 'true' });
    await daemon.logged('save queued', {}, PACKAGES);
    expect(new Set(await records()).size).toBe(PACKAGES);
    expect(await records()).toHaveLength(PACKAGES);
    expect(await said('saves', 'list')).toBe('');
    expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });

    expect(readdirSync(site.stateDir).filter((name) => !/\.(db|json|lock)/.test(name))).toEqual(['report', 'spill']);
    const { deferred_download: _, ...others } = (await pulp.state()) as Record<string, unknown>;
    const { deferred_download: __, ...othersBefore } = before as Record<string, unknown>;
    expect(others).toEqual(othersBefore);

    // The way back, and here again: nothing of the streamer's own is needed.
    rmSync(site.stateDir, { recursive: true });
    expect(existsSync(site.stateDir)).toBe(false);
    const again = await site.serve('--config', pulps);
    expect(await askWhole(again.url + paths[0])).toMatchObject({ status: 200 });
    expect((await again.stop()).status).toBe(0);
  });
});
