import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { askWhole } from '../support/clients.ts';
import { serveContents, startFeed, type TestFeed } from '../support/feeds.ts';
import { temporaryFolders } from '../support/folder.ts';
import { describeMongo, serverName } from '../support/mongodb.ts';
import { ownedPath } from '../support/owned-path.ts';
import { processes } from '../support/processes.ts';
import { hasBroker, itWithBroker, rabbitMq } from '../support/rabbitmq.ts';
import { makeFilesRepository } from '../support/repositories.ts';
import { sharedStores } from '../support/shared-catalog.ts';
import { makeSite } from '../support/site.ts';
import { taskTakers } from '../support/tasks.ts';
import { makeTransfers } from '../support/transfers.ts';
import { contentsOf, loadUnits, type Unit, unitsNamed } from '../support/units.ts';
import { until } from '../support/until.ts';

const start = processes();
const folder = temporaryFolders();
const takeTasks = taskTakers();
const broker = rabbitMq();

const COUNT = 200;
const UNITS = unitsNamed(Array.from({ length: 3 * COUNT }, (_, number) => String(number)));

let feed: TestFeed;
beforeAll(async () => {
  if (hasBroker) feed = await startFeed(serveContents(contentsOf(UNITS)));
});
afterAll(() => feed?.close());

const resourceOf = ({ id, path }: Unit) => `content_unit:${id}:${path}`;

describe('Two workers that save through a broker', () => {
  const open = async () => {
    const site = makeSite(start, folder(), { workers: 2, dispatch: 'celery', broker_url: broker().url });
    await loadUnits(site, feed.url, UNITS);
    const tasks = await takeTasks(broker().url, 'resource_manager');
    return { site, tasks, daemon: await site.serve(), transfers: makeTransfers(UNITS) };
  };
  const delivered = (site: ReturnType<typeof makeSite>) =>
    until(async () => JSON.parse(await site.run('saves', 'list', '--json')).length === 0);

  itWithBroker('send one task for each completed transfer', async () => {
    const { site, tasks, daemon, transfers } = await open();
    await transfers.run(daemon.url, COUNT);
    await delivered(site);
    await tasks.all();
    expect([...tasks.ids.keys()].sort()).toEqual([...transfers.done].map(resourceOf).sort());
    expect([...tasks.resources.values()].every((messages) => messages === 1)).toBe(true);
    expect(new Set([...tasks.ids.values()].flat()).size).toBe(transfers.done.size);
    expect((await daemon.stop()).status).toBe(0);
  });

  itWithBroker('send no second one for a transfer if both are killed', async () => {
    const { site, tasks, daemon, transfers } = await open();
    for (let round = 1; round <= 2; round += 1) {
      const before = transfers.done.size;
      // Clients of a killed worker fail, and what they asked for is asked for again.
      const running = transfers.runUntilGone(daemon.url);
      await until(() => transfers.done.size >= before + 20);
      const { workers } = JSON.parse(await site.run('status', '--json'));
      for (const { pid } of workers) process.kill(pid, 'SIGKILL');
      await running;
      await daemon.logged('worker replaced', {}, 2 * round);
    }
    await transfers.run(daemon.url, 50);
    await delivered(site);
    await tasks.all();
    for (const unit of transfers.done) expect(tasks.resources.has(resourceOf(unit))).toBe(true);
    const transferred = (unit: Unit) => feed.requests.filter(({ url }) => url === unit.path).length;
    const more = UNITS.filter((unit) => new Set(tasks.ids.get(resourceOf(unit))).size > transferred(unit));
    expect(more.map(({ path }) => path)).toEqual([]);
    // No message is sent twice: its sender, the daemon, has lived on.
    const all = [...tasks.ids.values()].flat();
    expect(all).toHaveLength(new Set(all).size);
  });
});

describeMongo(`Two workers with a shared catalog in ${serverName}`, () => {
  const stores = sharedStores();

  it('see what another machine changes, both of them', async () => {
    const { url } = await stores.catalog();
    const settings = { catalog_type: 'shared', shared_catalog_url: url, dispatch: 'none' };
    const here = makeSite(start, folder(), { ...settings, workers: 2 });
    const there = makeSite(start, folder(), settings);
    const daemon = await here.serve();
    const paths = [0, 1].map((worker) => ownedPath(worker, 'r'));
    const names = paths.map((path) => path.slice('/r/'.length));
    const repository = folder();
    const publish = (text: string) => {
      makeFilesRepository(repository, Object.fromEntries(names.map((name) => [name, text])));
      return there.run('catalog', 'import', 'files', `file://${repository}`, '--prefix', '/r');
    };
    const bodies = async () =>
      Promise.all(
        paths.map(async (path) => {
          const { status, body } = await askWhole(daemon.url + path);
          return status === 200 ? body.toString() : status;
        }),
      );
    expect(await bodies()).toEqual([404, 404]);
    for (const text of ['one', 'other']) {
      await publish(text);
      await until(async () => (await bodies()).every((body) => body === text));
    }
    await there.run('catalog', 'remove', '--prefix', '/r');
    await until(async () => (await bodies()).every((status) => status === 404));
    const { state } = JSON.parse(await here.run('status', '--json'));
    expect(state).toBe('ready');
  });
});
