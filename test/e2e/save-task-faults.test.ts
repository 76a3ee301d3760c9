import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import { seeded } from '../faults/random.ts';
import { serveContents, startFeed, type TestFeed } from '../support/feeds.ts';
import { processes } from '../support/processes.ts';
import { hasOwnBroker, itWithOwnBroker, rabbitMq } from '../support/rabbitmq.ts';
import { makeSite, type Site } from '../support/site.ts';
import { taskTakers } from '../support/tasks.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { makeTransfers } from '../support/transfers.ts';
import { contentsOf, loadUnits, unitsNamed } from '../support/units.ts';
import { until } from '../support/until.ts';

/** Transfers of each phase, and kills; more of them by hand. */
const TRANSFERS = Number(process.env.SAVE_TASK_TRANSFERS ?? 100);
const KILLS = Number(process.env.SAVE_TASK_KILLS ?? 6);
const SEED = Number(process.env.SAVE_TASK_SEED ?? 1);

/** Milliseconds until the feed answers, so that transfers go on while the broker is stopped and started. */
const FEED_DELAY = 20;
/** Enough for as long as a slow machine takes for that. */
const UNITS = unitsNamed(Array.from({ length: 20 * TRANSFERS + 6_000 }, (_, number) => String(number)));

const start = processes();
const folder = temporaryFolders();
const takeTasks = taskTakers();
const broker = rabbitMq();

const QUEUE = 'resource_manager';

let isAway = false;
const stop = async () => {
  isAway = true;
  await broker().stop();
};
const comeBack = async () => {
  await broker().start();
  isAway = false;
};
// A test that fails while the broker is away leaves the next ones theirs.
afterEach(async () => {
  if (isAway) await comeBack();
});

let feed: TestFeed;
/** A catalog that knows every unit. */
let catalog: string;
beforeAll(async () => {
  if (!hasOwnBroker) return;
  const serve = serveContents(contentsOf(UNITS));
  feed = await startFeed((request, response) => {
    setTimeout(() => serve(request, response), FEED_DELAY);
  });
  const site = makeSite(start, folder());
  await loadUnits(site, feed.url, UNITS);
  catalog = join(site.stateDir, 'catalog.db');
}, 60_000);
afterAll(() => feed?.close());

/** A streamer in front of units that nobody has had, and whoever takes its tasks. */
const open = async () => {
  const site = makeSite(start, folder(), { catalog, dispatch: 'celery', broker_url: broker().url });
  const tasks = await takeTasks(broker().url, QUEUE);
  return { site, tasks, transfers: makeTransfers(UNITS) };
};

const waiting = (site: Site): number => {
  using outbox = new DatabaseSync(join(site.stateDir, 'outbox.db'), { readOnly: true, timeout: 5_000 });
  return Number(outbox.prepare('SELECT count(*) AS count FROM saves').get()?.count);
};

/** The transfers for whose units no task came, once nothing waits any more. */
const missing = async ({ site, tasks, transfers }: Awaited<ReturnType<typeof open>>): Promise<string[]> => {
  await until(() => waiting(site) === 0);
  await tasks.all();
  return [...transfers.done].filter((unit) => !tasks.units.has(unit));
};

const duplicates = ({ tasks }: Pick<Awaited<ReturnType<typeof open>>, 'tasks'>): number =>
  [...tasks.units.values()].filter((count) => count > 1).length;

describe(`a task for every transfer, seed ${SEED}`, () => {
  const LONG = 100_000 + 200 * TRANSFERS + 3_000 * KILLS;

  itWithOwnBroker(
    `comes when the broker was away before, during and after ${4 * TRANSFERS} of them`,
    async () => {
      const scene = await open();
      const { site, transfers } = scene;
      await stop();
      const daemon = await site.serve();
      await transfers.run(daemon.url, TRANSFERS);
      expect(waiting(site)).toBe(transfers.count());
      await transfers.run(daemon.url, TRANSFERS, comeBack);
      await transfers.run(daemon.url, TRANSFERS, stop);
      await transfers.run(daemon.url, TRANSFERS);
      await comeBack();

      expect(await missing(scene)).toEqual([]);
      expect(transfers.done.size).toBe(transfers.count());
      expect(transfers.count()).toBeGreaterThanOrEqual(4 * TRANSFERS);
      expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
    },
    LONG,
  );

  itWithOwnBroker(
    'comes when the broker cuts every connection, again and again',
    async () => {
      const scene = await open();
      const daemon = await scene.site.serve();
      for (let round = 0; round < 3; round += 1)
        await scene.transfers.run(daemon.url, TRANSFERS, () => broker().ctl('close_all_connections', 'fault'));
      expect(await missing(scene)).toEqual([]);
      expect(await daemon.logged('broker', {}, 3)).toHaveLength(3);
    },
    LONG,
  );

  itWithOwnBroker(
    'comes when its queue was deleted',
    async () => {
      const scene = await open();
      const { site, tasks, transfers } = scene;
      const daemon = await site.serve();
      for (let round = 0; round < 3; round += 1) {
        await transfers.run(daemon.url, TRANSFERS);
        expect(await missing(scene)).toEqual([]);
        await tasks.deleteQueue();
        await transfers.run(daemon.url, TRANSFERS);
        await until(() => waiting(site) === 0);
        await tasks.resume();
      }
      expect(await missing(scene)).toEqual([]);
      expect(duplicates(scene)).toBe(0);
      const putOff = await daemon.logged('save put off', {}, 3);
      for (const { error } of putOff) expect(error).toContain('the broker returned the message');
    },
    LONG,
  );

  itWithOwnBroker(
    `comes when the streamer is killed ${KILLS} times`,
    async () => {
      const scene = await open();
      const { site, transfers } = scene;
      const random = seeded(SEED);
      for (let kill = 0; kill < KILLS; kill += 1) {
        const daemon = await site.serve();
        const moment = transfers.count() + random.whole(1, TRANSFERS);
        const running = transfers.runUntilGone(daemon.url);
        await until(() => transfers.count() >= moment);
        daemon.kill('SIGKILL');
        await Promise.all([running, daemon.ended]);
      }
      const daemon = await site.serve();
      await transfers.run(daemon.url, TRANSFERS);
      expect(await missing(scene)).toEqual([]);
      expect(transfers.done.size).toBeGreaterThan(TRANSFERS);
    },
    LONG,
  );
});
