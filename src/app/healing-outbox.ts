import type { Conditions } from '../observe/conditions.ts';
import { type DurableOutbox, openOutbox } from '../saves/outbox/open.ts';

/**
 * The daemon's outbox: what its file or disk refuses is a condition of the daemon and not its end.
 * Save requests wait in memory until then.
 */
export const openHealingOutbox = (
  file: string,
  onError: (error: Error) => void,
  conditions: Conditions,
): DurableOutbox =>
  openOutbox(file, {
    onError: (error) => {
      conditions.set('outbox', `${file} cannot be used, save requests wait in memory`);
      onError(error);
    },
    healing: {
      onPutAside: (aside) =>
        conditions.set('damaged outbox', `its save requests are in ${aside}, they are not delivered`),
      onWorking: () => conditions.clear('outbox'),
    },
  });
