import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import { serveContents, startFeed, type TestFeed } from '../support/feeds.ts';
import { processes } from '../support/processes.ts';
import { hasOwnBroker, itWithOwnBroker, rabbitMq } from '../support/rabbitmq.ts';
import { makeSite, type Site } from '../support/site.ts';
import { taskTakers } from '../support/tasks.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { tinyDisk } from '../support/tiny-disk.ts';
import { makeTransfers } from '../support/transfers.ts';
import { contentsOf, loadUnits, type Unit, unitsNamed } from '../support/units.ts';
import { until } from '../support/until.ts';
import { seeded } from './random.ts';

const TRANSFERS = Number(process.env.SAVE_TASK_TRANSFERS ?? 1_000);
const KILLS = Number(process.env.SAVE_TASK_KILLS ?? 50);
const SEED = Number(process.env.SAVE_TASK_SEED ?? 1);

/**
 * Milliseconds until the feed answers: transfers must continue while the broker is stopped and
 * started.
 */
const FEED_DELAY = 10;
const UNITS = unitsNamed(Array.from({ length: 20 * TRANSFERS }, (_, number) => String(number)));
/** Milliseconds, enough for a busy machine. */
const LONG = 120_000;

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
// A failed test may leave the broker stopped; the next tests need it.
afterEach(async () => {
  if (isAway) await comeBack();
}, LONG);

let feed: TestFeed;
/** A catalog that contains every unit. */
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
}, LONG);
afterAll(() => feed?.close());

/** A streamer with new units, and the consumer of its tasks. */
const open = async (home = folder()) => {
  const site = makeSite(start, home, { catalog, dispatch: 'celery', broker_url: broker().url });
  const tasks = await takeTasks(broker().url, QUEUE);
  return { site, tasks, transfers: makeTransfers(UNITS) };
};
type Scene = Awaited<ReturnType<typeof open>>;

const waiting = (site: Site): number => {
  using outbox = new DatabaseSync(join(site.stateDir, 'outbox.db'), { readOnly: true, timeout: 5_000 });
  return Number(outbox.prepare('SELECT count(*) AS count FROM saves').get()?.count);
};

const resourceOf = ({ id, path }: Unit) => `content_unit:${id}:${path}`;
const KNOWN = new Set(UNITS.map(resourceOf));

/**
 * The results of the transfers, once no save request is waiting. A reservation separates a second
 * task of the same resource.
 */
const counted = async ({ site, tasks, transfers }: Scene) => {
  await until(() => waiting(site) === 0);
  await tasks.all();
  const taken = [...tasks.resources];
  return {
    completed: transfers.done.size,
    missing: [...transfers.done].map(resourceOf).filter((resource) => !tasks.resources.has(resource)),
    foreign: taken.filter(([resource]) => !KNOWN.has(resource)),
    duplicates: taken.filter(([, count]) => count > 1).length,
  };
};

describe(`a task for every transfer, seed ${SEED}`, () => {
  itWithOwnBroker(
    `comes if the broker was stopped before, during and after ${TRANSFERS} of them each`,
    async () => {
      const scene = await open();
      const { site, transfers } = scene;
      await stop();
      const daemon = await site.serve();
      await transfers.run(daemon.url, TRANSFERS);
      expect(waiting(site)).toBe(transfers.done.size);
      await comeBack();
      expect(await counted(scene)).toMatchObject({ missing: [], foreign: [] });

      await transfers.run(daemon.url, TRANSFERS, async () => {
        await stop();
        await comeBack();
      });
      expect(await counted(scene)).toMatchObject({ missing: [], foreign: [] });

      await transfers.run(daemon.url, TRANSFERS);
      await stop();
      await comeBack();
      const { completed, ...rest } = await counted(scene);
      expect(rest).toMatchObject({ missing: [], foreign: [] });
      expect(completed).toBeGreaterThanOrEqual(3 * TRANSFERS);
      expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
    },
    LONG,
  );

  itWithOwnBroker(
    'comes if the broker cuts every connection, again and again',
    async () => {
      const scene = await open();
      const daemon = await scene.site.serve();
      for (let round = 1; round <= 3; round += 1)
        await scene.transfers.run(daemon.url, TRANSFERS / 4, async () => {
          // A connection that is not yet back cannot be cut again.
          await daemon.logged('broker connected', {}, round);
          await broker().ctl('close_all_connections', 'fault');
        });
      expect(await counted(scene)).toMatchObject({ missing: [], foreign: [] });
      expect(await daemon.logged('broker unreachable, retrying', {}, 3)).toHaveLength(3);
    },
    LONG,
  );

  itWithOwnBroker(
    'comes if its queue was deleted, once for each',
    async () => {
      const scene = await open();
      const { site, tasks, transfers } = scene;
      const daemon = await site.serve();
      for (let round = 0; round < 3; round += 1) {
        await transfers.run(daemon.url, TRANSFERS / 10);
        expect(await counted(scene)).toMatchObject({ missing: [], duplicates: 0 });
        await tasks.deleteQueue();
        await transfers.run(daemon.url, TRANSFERS / 10);
        await until(() => waiting(site) === 0);
        await tasks.resume();
      }
      expect(await counted(scene)).toMatchObject({ missing: [], foreign: [], duplicates: 0 });
      const putOff = await daemon.logged('save failed, retrying', {}, 3);
      for (const { error } of putOff) expect(error).toContain('the broker returned the message');
    },
    LONG,
  );

  itWithOwnBroker(
    `comes if the streamer is killed at ${KILLS} random moments`,
    async () => {
      const scene = await open();
      const { site, transfers } = scene;
      const random = seeded(SEED);
      for (let kill = 0; kill < KILLS; kill += 1) {
        const daemon = await site.serve();
        const moment = transfers.done.size + random.whole(0, 50);
        const running = transfers.runUntilGone(daemon.url);
        await until(() => transfers.done.size >= moment);
        await pause(20 * random.next());
        daemon.kill('SIGKILL');
        await Promise.all([running, daemon.ended]);
      }
      await site.serve();
      const { completed, ...rest } = await counted(scene);
      expect(rest).toMatchObject({ missing: [], foreign: [] });
      expect(completed).toBeGreaterThan(KILLS);
    },
    LONG + 4_000 * KILLS,
  );

  const disk = tinyDisk(16);
  afterAll(() => disk?.free());
  itWithOwnBroker(
    `comes if the outbox’s disk was full${disk ? '' : ' (skipped: needs mount)'}`,
    async () => {
      if (!disk) return;
      const scene = await open(disk.folder);
      const { site, transfers } = scene;
      await stop();
      const daemon = await site.serve();
      await transfers.run(daemon.url, TRANSFERS / 10);
      const filling = join(disk.folder, 'filling');
      expect(() => writeFileSync(filling, Buffer.alloc(32 << 20))).toThrow('ENOSPC');
      // No client notices.
      await transfers.run(daemon.url, TRANSFERS / 4);
      const [told] = await daemon.logged('saving failed', { error: /database or disk is full/ });
      expect(told?.error).toMatch(/^outbox \S+ cannot be written \(save requests in memory: \d+\)/);
      expect(waiting(site)).toBeLessThan(transfers.done.size);
      await comeBack();
      rmSync(filling);
      await until(() => scene.tasks.resources.size >= transfers.done.size);
      expect(await counted(scene)).toMatchObject({ missing: [], foreign: [] });
      expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
    },
    LONG,
  );
});
