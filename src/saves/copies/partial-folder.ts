import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolderSync } from '../../lib/private-files.ts';

// The process id shows whether the owner is alive. The UUID separates this process from an earlier
// one with the same id.
const OWN = `${process.pid}-${randomUUID()}`;

/**
 * Creates this process's folder for files in the making, and removes those of killed processes.
 * Each process has a folder, so that a command line does not remove the daemon's files as
 * leftovers.
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
