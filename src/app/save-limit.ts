import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Settings } from '../config/schema.ts';
import { codeOf } from '../lib/thrown.ts';

/**
 * The limit of all copies in bytes; 0: none. A share is that of the file system at this moment: a call of the system.
 * An object store has no size that a part could be taken of.
 */
export const saveLimitOf = ({
  saveLimit,
  saveDir,
  saveUrl,
}: Pick<Settings, 'saveLimit' | 'saveDir' | 'saveUrl'>): number => {
  if (typeof saveLimit === 'number') return saveLimit;
  return saveUrl === '' ? Math.max(1, Math.floor(saveLimit.share * sizeOfDisk(saveDir))) : 0;
};

/** Bytes of the file system that a folder is on, or will be. */
const sizeOfDisk = (folder: string): number => {
  try {
    const { blocks, bsize } = statfsSync(folder);
    return blocks * bsize;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && dirname(folder) !== folder) return sizeOfDisk(dirname(folder));
    throw error;
  }
};
