import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../app/version.ts';

/** A small yum repository of real packages, which comes with pulp-streamer. */
export const zoo = join(packageRoot, 'examples/zoo');

export const packagesOf = async (): Promise<readonly string[]> => (await readdir(join(zoo, 'Packages'))).sort();

export const contentOf = (relative: string): Promise<Buffer> => readFile(join(zoo, relative));

/** A folder for the demonstration that goes with `remove`. */
export const makeStage = async (): Promise<{ folder: string; remove: () => Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'pulp-streamer-demo-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
};

/**
 * A copy of the repository in which some packages are missing: its metadata promises more than it
 * has.
 */
export const copyWithout = async (folder: string, missing: readonly string[]): Promise<void> => {
  for (const room of ['Packages', 'repodata']) {
    await mkdir(join(folder, room), { recursive: true });
    for (const name of await readdir(join(zoo, room)))
      if (!missing.some((one) => name.startsWith(`${one}-`)))
        await copyFile(join(zoo, room, name), join(folder, room, name));
  }
};
