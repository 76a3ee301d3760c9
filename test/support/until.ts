import { setTimeout } from 'node:timers/promises';

/** Milliseconds between two looks: a busy loop would take the processor from the awaited work. */
const REST = 2;

/** Resolves once a condition holds, by polling. The test's timeout is the limit. */
export const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await setTimeout(REST);
};
