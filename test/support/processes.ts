import { afterEach } from '@jest/globals';
import { createProcessGroup } from './process-group.ts';
import type { Start } from './run-process.ts';

export * from './run-process.ts';

/** Starts processes. Those that still run after a test are ended, by their ids. */
export const processes = (): Start => {
  let group = createProcessGroup();
  afterEach(() => {
    const ended = group;
    group = createProcessGroup();
    return ended.end();
  });
  return (command, args, options) => group.start(command, args, options);
};
