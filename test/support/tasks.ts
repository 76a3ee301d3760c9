import { afterEach } from '@jest/globals';
import { startTaskTaker, type TaskTaker } from './start-task-taker.ts';

/** Starts consumers of tasks, each for as long as the test runs. */
export const taskTakers = (): ((url: string, queue: string) => Promise<TaskTaker>) => {
  const ending: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ending.splice(0)) await end();
  });
  return async (url, queue) => {
    const taker = await startTaskTaker(url, queue);
    ending.push(taker.close);
    return taker;
  };
};
