import { setTimeout } from 'node:timers/promises';

/** Milliseconds between two looks: a loop without a rest would take the processor from what it waits for. */
const REST = 2;

/** Resolves once a condition holds, looked at again and again; the test's timeout is its limit. */
export const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await setTimeout(REST);
};
