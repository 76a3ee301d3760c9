import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { descriptorOf } from '../support/alternates.ts';
import { askWhole } from '../support/clients.ts';
import { startFeed, type TestFeed } from '../support/feeds.ts';
import { describeMongo, mongodb, serverName } from '../support/mongodb.ts';
import { type PulpSite, startPulpSite } from '../support/pulp-site.ts';
import type { Pulp2, TakenRecord } from '../support/pulp2/pulp2.ts';
import { CONTENT, SHA256, SHAPES } from '../support/pulp2/shapes.ts';
import { writeShape } from '../support/pulp2/write-shape.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { until } from '../support/until.ts';

describeMongo(`documents of a site of Pulp 2’s (${serverName})`, () => {
  const mongo = mongodb();
  const newFolder = temporaryFolders();
  let pulp: Pulp2;
  let site: PulpSite;
  let feed: TestFeed;
  let offered: string;
  beforeAll(async () => {
    const server = await mongo.server();
    const database = await mongo.database(server);
    pulp = database.pulp;
    feed = await startFeed((_, response) => response.writeHead(200, { 'Content-Length': CONTENT.length }).end(CONTENT));
    site = await startPulpSite(newFolder(), server, database.name, ['dispatch: deferred']);
    const folder = newFolder();
    const file = join(folder, 'bear.rpm');
    writeFileSync(file, CONTENT);
    offered = pathToFileURL(file).href;
    writeFileSync(join(site.sourcesDir, 'disk.conf'), descriptorOf('disk', folder, { type: 'files' }));
    site.daemon.streamer.alternates.reload();
  });
  afterAll(async () => {
    await site.daemon.stop();
    await feed.close();
  });

  const records: TakenRecord[] = [];
  /** Takes records until that of a unit is among all that were taken. */
  const recorded = (unit_id: string): Promise<void> =>
    until(async () => {
      records.push(...(await pulp.takeRecords()));
      return records.some((record) => record.unit_id === unit_id);
    });
  /** Units that must not have a record. */
  const others = new Set<string>();

  it.each(SHAPES.map((shape) => [shape.what, shape] as const))('are served with %s', async (_, shape) => {
    const { status = 200, from = 'feed', record = true, asks = {}, reason } = shape.becomes ?? {};
    const { path, unit_id } = await writeShape(pulp, shape, { feed: feed.url, offered });
    const askedBefore = feed.requests.length;
    const { sha256, ...got } = await askWhole(site.url + encodeURI(path));
    const asked = feed.requests.slice(askedBefore);
    expect({ status: got.status, whole: sha256 === SHA256, asked: asked.length > 0 }).toEqual({
      status,
      whole: status === 200,
      asked: from === 'feed',
    });
    expect(asked.map(({ url }) => url)).not.toContain('/older.rpm');
    for (const request of asked) expect(request.headers).toMatchObject(asks);
    const line = () => site.log.findLast(({ msg, path: of }) => msg === 'request' && of === encodeURI(path));
    await until(() => line() !== undefined);
    if (reason) expect(line()?.error).toMatch(reason);
    if (!record) {
      others.add(unit_id);
      return;
    }
    await recorded(unit_id);
    expect(records.filter((one) => one.unit_id === unit_id)).toMatchObject([{ paths: [path] }]);
  });

  it('leave a record for each unit that was served and can be saved, and no other', async () => {
    const { path, unit_id } = await writeShape(pulp, SHAPES[0]!, { feed: feed.url, offered });
    await askWhole(site.url + path);
    // Records are written in the order in which their units were served.
    await recorded(unit_id);
    expect(records.filter((one) => others.has(one.unit_id))).toEqual([]);
    expect(records.filter(({ found }) => !found)).toEqual([]);
  });
});
