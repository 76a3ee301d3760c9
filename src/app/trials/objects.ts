import { hash } from 'node:crypto';
import type { Settings } from '../../config/schema.ts';
import { messageOf } from '../../lib/thrown.ts';
import { savesObjects } from '../object-settings.ts';
import { type Trial, trying } from './trial.ts';

/** Milliseconds that clocks may differ: stores refuse signatures at 15 minutes. */
const MOST = 300_000;

/** Asks the object store for a list, and has it take and remove a small object, as the daemon would. */
export const tryObjects = async (settings: Settings): Promise<readonly Trial[]> => {
  if (!savesObjects(settings)) return [];
  const trial = await trying(
    `object store ${settings.saveUrl}`,
    async () => {
      const { bucketOf } = await import('../open-objects.ts');
      const bucket = await bucketOf(settings);
      try {
        const time = await bucket.probe();
        const name = `probe-${process.pid}`;
        const bytes = Buffer.from('\n');
        await bucket.put(name, bytes, { sha256: hash('sha256', bytes, 'base64') });
        await bucket.remove(name);
        return aheadBy(time === undefined ? 0 : Date.now() - time);
      } finally {
        bucket.close();
      }
    },
    messageOf,
  );
  return [trial];
};

/** A remark if the clock is so wrong that signatures will soon be refused. */
const aheadBy = (ms: number): string | undefined => {
  if (Math.abs(ms) <= MOST) return undefined;
  return `the clock is ${Math.round(Math.abs(ms) / 1000)} s ${ms > 0 ? 'ahead of' : 'behind'} the store’s: set it before signatures are refused`;
};
