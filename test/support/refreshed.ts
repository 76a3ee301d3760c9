import type { DaemonProcess } from './site.ts';
import { until } from './until.ts';

/**
 * Makes what asks for a file of a followed repository until the daemon has read a new revision: on a
 * busy machine a client does not wait for that, and is served what was there.
 */
export const refreshing = (
  { log }: DaemonProcess,
  prefix: string,
): ((ask: () => Promise<unknown>) => Promise<void>) => {
  let count = 0;
  log.subscribe((line) => {
    if (line.msg === 'repository refreshed' && line.prefix === prefix) count += 1;
  });
  return async (ask) => {
    const before = count;
    await until(async () => {
      await ask();
      return count > before;
    });
  };
};
