import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from '@jest/globals';
import { startHaproxy } from '../support/haproxy.ts';
import { describeMongo, serverName } from '../support/mongodb.ts';
import { freePorts } from '../support/ports.ts';
import { processes } from '../support/processes.ts';
import { hasOwnBroker, itWithOwnBroker, rabbitMq } from '../support/rabbitmq.ts';
import { itNeeding } from '../support/repositories.ts';
import { sharedStores } from '../support/shared-catalog.ts';
import { makeSite, type Site } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { taskTakers } from '../support/tasks.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { contentsOf, loadUnits, type Unit, unitsNamed } from '../support/units.ts';
import { until } from '../support/until.ts';

const CLIENTS = 8;
const ROUNDS = 3;
const UNITS = unitsNamed(
  Array.from({ length: 400 }, (_, number) => String(number)),
  150_000,
);

const start = processes();
const folder = temporaryFolders();
const startFeed = closedFeeds();
const takeTasks = taskTakers();
const broker = rabbitMq();
const itHere = hasOwnBroker ? itNeeding(['haproxy']) : itWithOwnBroker;

/** The bytes of a response that ended cleanly; rejects for any other. */
const receive = (url: string, agent: Agent): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200 && response.complete) resolve(Buffer.concat(chunks));
        else reject(new Error(`status ${response.statusCode}`));
      });
    }).on('error', reject);
  });

/** Clients that ask for each unit until they have it. */
const makeClients = (url: string) => {
  const waiting = UNITS.toReversed();
  const done = new Set<Unit>();
  const wrong: string[] = [];
  let broken = 0;
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let unit = waiting.pop(); unit; unit = waiting.pop()) {
      const { path, content } = unit;
      let body: Buffer | undefined;
      while (!body)
        body = await receive(url + path, agent).catch(() => {
          broken += 1;
          return undefined;
        });
      if (!body.equals(content)) wrong.push(path);
      done.add(unit);
    }
    agent.destroy();
  };
  return { done, wrong, broken: () => broken, run: () => Promise.all(Array.from({ length: CLIENTS }, client)) };
};

const waitingIn = ({ stateDir }: Site): number => {
  using outbox = new DatabaseSync(join(stateDir, 'outbox.db'), { readOnly: true, timeout: 5_000 });
  return Number(outbox.prepare('SELECT count(*) AS count FROM saves').get()?.count);
};

describeMongo(`Three streamers behind HAProxy, with one catalog in ${serverName} and one broker`, () => {
  const stores = sharedStores();

  itHere(
    'give every client whole and right content while one after the other is killed and started again on its own disk, and each transfer its save once',
    async () => {
      const contents = contentsOf(UNITS);
      // The second half comes later. While kills are to hit transfers in the middle, it does not come.
      const held: (() => void)[] = [];
      let isHolding = false;
      const feed = await startFeed((request, response) => {
        const content = contents.get(request.url ?? '') ?? Buffer.of();
        response.writeHead(200, { 'Content-Length': content.length });
        response.write(content.subarray(0, content.length / 2));
        const end = () => response.end(content.subarray(content.length / 2));
        if (isHolding) held.push(end);
        else setTimeout(end, 30);
      });
      const ports = (await freePorts(3)) as [number, number, number];
      const { url } = await stores.catalog();
      const sites = ports.map((port) =>
        makeSite(start, folder(), {
          ...{ port, catalog_type: 'shared', shared_catalog_url: url, mongodb_timeout: 30 },
          ...{ dispatch: 'celery', broker_url: broker().url, verify_whole_below: 0 },
        }),
      ) as [Site, Site, Site];
      const tasks = await takeTasks(broker().url, 'resource_manager');
      const daemons = await Promise.all(sites.map((site) => site.serve()));
      await loadUnits(sites[0], feed.url, UNITS);
      const haproxy = await startHaproxy(start, folder(), ports);
      const clients = makeClients(haproxy.url);
      const running = clients.run();
      let inDoubt = 0;

      for (let round = 0; round < ROUNDS; round += 1) {
        const moment = clients.done.size + 20;
        await until(() => clients.done.size >= Math.min(moment, UNITS.length));
        isHolding = true;
        await until(() => held.length >= Math.min(CLIENTS, UNITS.length - clients.done.size));
        const killed = daemons[round];
        killed?.kill('SIGKILL');
        await killed?.ended;
        // What it had not removed from its outbox may have been sent, and is sent again.
        const site = sites[round];
        if (site) inDoubt += waitingIn(site);
        isHolding = false;
        for (const end of held.splice(0)) end();
        const later = clients.done.size + 20;
        await until(() => clients.done.size >= Math.min(later, UNITS.length));
        await sites[round]?.serve();
      }
      await running;
      expect({ done: clients.done.size, wrong: clients.wrong }).toEqual({ done: UNITS.length, wrong: [] });
      expect(clients.broken()).toBeGreaterThan(0);

      await until(() => sites.every((site) => waitingIn(site) === 0));
      await tasks.all();
      const resourceOf = ({ id, path }: Unit) => `content_unit:${id}:${path}`;
      expect([...tasks.ids.keys()].sort()).toEqual(UNITS.map(resourceOf).sort());
      // A transfer has one task. A unit has a second one only if it was transferred a second time.
      const transfersOf = ({ path }: Unit) => feed.requests.filter(({ url }) => url === path).length;
      const tasksOf = (unit: Unit) => new Set(tasks.ids.get(resourceOf(unit))).size;
      const withMore = UNITS.filter((unit) => tasksOf(unit) > transfersOf(unit)).map(({ path }) => path);
      expect(withMore).toEqual([]);
      // A message comes twice, with the same id, only if its streamer was killed before it knew of the first.
      const all = [...tasks.ids.values()].flat();
      expect(all.length - new Set(all).size).toBeLessThanOrEqual(inDoubt);
      // Paths have one streamer each, so only what the kills have hit is asked of the feed again.
      expect(feed.requests.length).toBeLessThan(UNITS.length + clients.broken() + CLIENTS * ROUNDS);
    },
  );
});
