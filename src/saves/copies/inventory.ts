import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, parse, relative } from 'node:path';
import type { Checksum } from '../../../pipelines/model/index.ts';
import { digestOf } from './checks.ts';
import { isAlone, keyAt } from './eviction.ts';
import { removeIfEmpty, signatureOf, unlessMissing } from './files.ts';
import { isSidecar, readSidecar, removeCopy, sidecarChecksum, sidecarOf } from './sidecar.ts';

/** A copy as it is on disk. The daemon may remove or replace it at any time. */
export interface StoredCopy {
  readonly key: string;
  /** Relative to the folder of copies. */
  readonly file: string;
  readonly path: string;
  readonly stats: BigIntStats;
  /** Milliseconds since 1970. */
  readonly usedAt: number;
}

/** The copies in a folder, one at a time; none if the folder does not exist. */
export async function* storedCopies(folder: string): AsyncGenerator<StoredCopy> {
  for (const two of (await unlessMissing(readdir(folder))) ?? []) {
    if (!/^[0-9a-f]{2}$/.test(two)) continue;
    for (const name of await readdir(join(folder, two), { recursive: true, withFileTypes: true })) {
      const path = join(name.parentPath, name.name);
      if (!name.isFile() || isSidecar(path)) continue;
      const stats = await unlessMissing(stat(path, { bigint: true }));
      if (!stats) continue;
      const sidecar = await unlessMissing(stat(sidecarOf(path)));
      const usedAt = sidecar?.mtimeMs ?? Number(stats.atimeMs);
      yield { key: keyAt(folder, path), file: relative(folder, path), path, stats, usedAt };
    }
  }
}

/** The checksum that a copy must match: its name, or that in its sidecar. Absent if unknown. */
const checksumOf = async (folder: string, { path }: StoredCopy): Promise<Checksum | undefined> =>
  isAlone(folder, path) ? { algorithm: 'sha256', value: parse(path).name } : sidecarChecksum(path);

/** `right`, `unknown` without a known checksum, or the fault. Rejects if it cannot be read. */
export const judgeCopy = async (
  folder: string,
  copy: StoredCopy,
  known?: Checksum,
): Promise<'right' | 'unknown' | { readonly fault: string }> => {
  const { path } = copy;
  const checksum = known ?? (await checksumOf(folder, copy));
  if (!checksum) return 'unknown';
  const found = await digestOf({ path, checksum });
  const { algorithm, value } = checksum;
  if (found !== value) return { fault: `its ${algorithm} is ${found}, expected ${value}` };
  // A damaged sidecar loses the content coding, and no catalog checksum proves that the bytes are
  // the file itself.
  const isLost = isAlone(folder, path) && (await readSidecar({ path, checksum })) === 'damaged';
  return isLost ? { fault: 'its sidecar is damaged' } : 'right';
};

/** Removes a copy, unless another one has replaced it since. Returns whether it did. */
export const removeStored = async (folder: string, { path, stats }: StoredCopy): Promise<boolean> => {
  const now = await unlessMissing(stat(path, { bigint: true }));
  if (!now || signatureOf(now) !== signatureOf(stats)) return false;
  await removeCopy(path);
  if (isAlone(folder, path)) await unlessMissing(removeIfEmpty(dirname(path)));
  return true;
};
