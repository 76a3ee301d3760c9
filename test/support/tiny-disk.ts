import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A small file system that records no reads, or `undefined` if mounting is not permitted. */
export const tinyDisk = (mebibytes = 1): { readonly folder: string; free(): void } | undefined => {
  const folder = mkdtempSync(join(tmpdir(), 'pulp-streamer-tiny-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,noatime`, 'tiny', folder], { stdio: 'ignore' });
  } catch {
    rmdirSync(folder);
    return undefined;
  }
  return {
    folder,
    free: () => {
      execFileSync('umount', ['-l', folder]);
      rmdirSync(folder);
    },
  };
};
