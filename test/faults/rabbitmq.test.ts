import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect } from '@jest/globals';
import { createCertificates } from '../support/certificates.ts';
import { processes } from '../support/processes.ts';
import { hasOwnBroker, itWithOwnBroker, rabbitMq } from '../support/rabbitmq.ts';
import { taskTakers } from '../support/tasks.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { until } from '../support/until.ts';
import { inLines } from './in-lines.ts';
import { judge } from './judge.ts';
import { planTransfer, type Transfer } from './plan.ts';
import { seaOfBytes, seeded } from './random.ts';
import { openScene, QUICK, startFeeds } from './scene.ts';
import { createLedger, createTally } from './tally.ts';

const start = processes();
const folder = temporaryFolders();
const takeTasks = taskTakers();
const broker = rabbitMq();

const SEED = Number(process.env.FAULT_SEED ?? 1);
/** Transfers between two changes. */
const BETWEEN = 25;
const AT_ONCE = 12;

// A failed test may leave the broker frozen, but it must be possible to end it.
afterEach(() => {
  if (hasOwnBroker) broker().thaw();
});

describe('the broker of save tasks', () => {
  itWithOwnBroker(
    'stopped, cut off, short of memory or frozen under load harms no transfer, and gets one task for each complete transfer and no other',
    async () => {
      const home = folder();
      const random = seeded(SEED);
      const tally = createTally();
      const byPath = new Map<string, Transfer>();
      const ledger = createLedger(tally, (path, fault) => byPath.get(path)?.lies.has(fault) ?? false);
      const { feeds, ca } = await startFeeds(ledger, await createCertificates());
      const world = { sea: seaOfBytes(8 << 20, SEED), feeds, folder: home, wholeBelow: QUICK.verify_whole_below };
      const transfers = Array.from({ length: 2_000 }, (_, index) => planTransfer(index, random, world));
      for (const transfer of transfers) byPath.set(transfer.listing.path, transfer);
      const settings = { dispatch: 'celery', broker_url: broker().url };
      const listings = transfers.map(({ listing }) => listing);
      const { site, ...scene } = await openScene(start, home, { listings, ca, settings });
      let { daemon } = scene;
      const tasks = await takeTasks(broker().url, 'resource_manager');

      const whole = new Set<string>();
      const left = new Set<string>();
      const play = async (transfer: Transfer) => {
        const { path } = transfer.listing;
        const ends = { daemon: daemon.url, squid: daemon.url };
        const outcomes = await judge(transfer, ends, tally, ledger.liesAbout, async () => true);
        if (outcomes.some(({ kind }) => kind === 'left')) left.add(path);
        // A partial transfer is not saved.
        if (outcomes.some((one) => one.kind === 'clean' && one.sha256 === transfer.sha256)) whole.add(path);
      };
      let over = false;
      let begun = 0;
      const queue = function* () {
        for (const transfer of transfers) {
          if (over) return;
          begun += 1;
          yield transfer;
        }
        throw new Error('no transfers left');
      };
      const load = inLines(AT_ONCE, queue(), play);
      const { ctl, stop, start: comeBack, freeze, thaw } = broker();
      const changes: readonly (() => unknown)[] = [
        stop,
        comeBack,
        () => ctl('close_all_connections', 'fault'),
        () => ctl('set_vm_memory_high_watermark', '0.000001'),
        () => ctl('set_vm_memory_high_watermark', '0.4'),
        freeze,
        () => {},
      ];
      for (const change of changes) {
        const enough = begun + BETWEEN;
        await Promise.race([until(() => begun >= enough), load]);
        await change();
      }
      over = true;
      await load;
      // Waiting save requests survive the process, and a silent broker does not prevent its end.
      expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
      thaw();
      daemon = await site.serve();
      await until(() => waiting(site.stateDir) === 0);
      await tasks.all();
      const tasked = [...tasks.resources.keys()].map((resource) => resource.slice(resource.lastIndexOf(':') + 1));
      expect(tally.broken.slice(0, 3)).toEqual([]);
      expect([...whole].filter((path) => !tasked.includes(path))).toEqual([]);
      // A client that left does not know whether everything had been sent to it.
      expect(tasked.filter((path) => !whole.has(path) && !left.has(path))).toEqual([]);
      // There were others.
      expect(whole.size).toBeLessThan(tally.counts.get('transfers') ?? 0);
      expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
      await feeds.close();
    },
    180_000,
  );
});

/** Save requests that the broker has not confirmed. */
const waiting = (stateDir: string): number => {
  using outbox = new DatabaseSync(join(stateDir, 'outbox.db'), { readOnly: true, timeout: 5_000 });
  return Number(outbox.prepare('SELECT count(*) AS count FROM saves').get()?.count);
};
