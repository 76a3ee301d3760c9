import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolderSync } from '../../lib/private-files.ts';

// The process's id tells whether its owner lives; the rest tells this process from an earlier one that had the same id.
const OWN = `${process.pid}-${randomUUID()}`;

/**
 * Makes this process's own folder for files in the making, and removes what killed processes left.
 * A command line beside the daemon must not take the daemon's files for leftovers: hence a folder a process.
 */
export const openPartial = (folder: string): string => {
  const partial = join(folder, '.partial');
  makeFolderSync(partial);
  for (const name of readdirSync(partial)) {
    if (name !== OWN && !ownerLives(name)) rmSync(join(partial, name), { recursive: true, force: true });
  }
  const own = join(partial, OWN);
  makeFolderSync(own);
  return own;
};

const ownerLives = (name: string): boolean => {
  const pid = Number(name.split('-')[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};
