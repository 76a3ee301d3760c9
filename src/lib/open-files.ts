import { readFileSync } from 'node:fs';
import { codeOf } from './thrown.ts';

/**
 * The limit of open files of this process, which Node has raised as far as it may. `undefined` if
 * the system has no such file (outside Linux) or no limit.
 */
export const openFilesLimit = (file = '/proc/self/limits'): number | undefined => {
  try {
    const [, limit] = /^Max open files +(\d+)/m.exec(readFileSync(file, 'utf8')) ?? [];
    return limit === undefined ? undefined : Number(limit);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};
