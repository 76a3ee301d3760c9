import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, parse, relative } from 'node:path';
import type { Checksum } from '../../../pipelines/model/index.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import type { Copy } from './copy.ts';
import { isAlone, keyAt } from './eviction.ts';
import { removeIfEmpty } from './files.ts';
import { isSidecar, removeCopy, sidecarChecksum, sidecarOf } from './sidecar.ts';
import { isUnchanged } from './verification.ts';

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

/**
 * The copies in a folder, one at a time; none if the folder does not exist. `start`, from 0 to 1, is
 * the place in their order to begin at.
 */
export async function* storedCopies(folder: string, start = 0): AsyncGenerator<StoredCopy> {
  const all = (await unlessMissing(readdir(folder))) ?? [];
  const names = all.filter((name) => /^[0-9a-f]{2}$/.test(name)).toSorted();
  const first = Math.floor(start * names.length);
  for (const two of [...names.slice(first), ...names.slice(0, first)]) {
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

/**
 * A stored copy with the checksum that it must match: `known`, or the one in its name or sidecar.
 * Absent if none is known.
 */
export const identified = async (folder: string, stored: StoredCopy, known?: Checksum): Promise<Copy | undefined> => {
  const { key, path, stats } = stored;
  const checksum = known ?? (await checksumOf(folder, stored));
  return checksum && { key, path, stats, checksum, bare: isAlone(folder, path) };
};

/** Removes a copy, unless another one has replaced it since. Returns whether it did. */
export const removeStored = async (folder: string, stored: StoredCopy): Promise<boolean> => {
  const { path } = stored;
  if (!(await isUnchanged(stored))) return false;
  await removeCopy(path);
  if (isAlone(folder, path)) await unlessMissing(removeIfEmpty(dirname(path)));
  return true;
};

/** Removes all copies whose name states no checksum of the catalog, but a revision. */
export const removeBare = async (folder: string): Promise<void> => {
  for await (const stored of storedCopies(folder)) if (isAlone(folder, stored.path)) await removeStored(folder, stored);
};
