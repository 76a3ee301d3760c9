import { constants, setPriority } from 'node:os';
import { codeOf } from './thrown.ts';

/**
 * Gives a process that has just started the lowest priority, since transfers to clients come first.
 * Its threads get that of the one that starts them: a process that lowered its own would leave those
 * that collect garbage and compile as they are.
 */
export const putLast = (pid: number | undefined): void => {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch (error) {
    // It has ended already, and its end is reported.
    if (codeOf(error) !== 'ERR_SYSTEM_ERROR') throw error;
  }
};
