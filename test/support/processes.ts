import { afterEach } from '@jest/globals';
import { type Running, type Start, startProcess } from './run-process.ts';

export * from './run-process.ts';

/** Starts processes. Those that still run after a test are ended, by their ids. */
export const processes = (): Start => {
  const running = new Map<Running, NodeJS.Signals>();
  afterEach(async () => {
    for (const [one, farewell] of running) one.kill(farewell);
    await Promise.all([...running.keys()].map(({ ended }) => ended));
  });
  return (command, args, options = {}) => {
    const one = startProcess(command, args, options);
    running.set(one, options.farewell ?? 'SIGKILL');
    one.ended.then(
      () => running.delete(one),
      () => running.delete(one),
    );
    return one;
  };
};
