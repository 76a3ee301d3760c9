import { type Running, type Start, startProcess } from './run-process.ts';

/** Processes that end together. */
export interface ProcessGroup {
  /** Throws once `end` was called: nothing that is still under way then may leave a process behind. */
  readonly start: Start;
  /** Ends those that still run, by their ids. Resolves when all have ended. */
  end(): Promise<void>;
}

export const createProcessGroup = (): ProcessGroup => {
  const running = new Map<Running, NodeJS.Signals>();
  let isOver = false;
  return {
    start: (command, args, options = {}) => {
      if (isOver) throw new Error(`${command} is started after its group has ended`);
      const one = startProcess(command, args, options);
      running.set(one, options.farewell ?? 'SIGKILL');
      const gone = () => running.delete(one);
      one.ended.then(gone, gone);
      return one;
    },
    end: async () => {
      isOver = true;
      for (const [one, farewell] of running) one.kill(farewell);
      await Promise.allSettled([...running.keys()].map(({ ended }) => ended));
    },
  };
};
