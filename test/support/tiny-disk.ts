import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of one mebibyte that notes no reads, or nothing where mounting is not permitted. */
export const tinyDisk = (): { readonly folder: string; free(): void } | undefined => {
  const folder = mkdtempSync(join(tmpdir(), 'pulp-streamer-tiny-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,noatime', 'tiny', folder], { stdio: 'ignore' });
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
