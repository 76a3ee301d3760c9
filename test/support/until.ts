import { setImmediate } from 'node:timers/promises';

/** Resolves once a condition holds, looked at with each turn of the event loop; the test's timeout is its limit. */
export const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await setImmediate();
};
