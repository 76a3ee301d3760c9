import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownEnvironment, type Start } from '../support/processes.ts';
import { within } from './within.ts';

const PRELOADED = fileURLToPath(new URL('tell-memory.cjs', import.meta.url));

/**
 * Starts Node processes that can report the memory that they hold. The folder is for their reports.
 */
export const tellingMemory =
  (start: Start, folder: string): Start =>
  (command, args, options = {}) =>
    command === process.execPath
      ? start(command, ['--expose-gc', '--require', PRELOADED, ...args], {
          ...options,
          env: { ...(options.env ?? ownEnvironment()), TELL_MEMORY: folder },
        })
      : start(command, args, options);

/** Bytes that a process holds after a full garbage collection: heap, and buffers outside of it. */
export const heldBy = async (pid: number, folder: string): Promise<number> => {
  const file = join(folder, `${pid}.memory`);
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  const told = () => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  };
  if (!(await within(60_000, () => told().endsWith('\n'))))
    throw new Error(`process ${pid} does not report its memory`);
  return Number(told());
};
