import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, parse, relative } from 'node:path';
import type { Checksum } from '../../../pipelines/model/index.ts';
import { signatureOf } from '../../lib/file-signature.ts';
import type { Semaphore } from '../../lib/semaphore.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import type { Copy } from './copy.ts';

import { removeIfEmpty } from './files.ts';
import { isAlone, keyAt } from './names.ts';
import type { StoredCopy } from './shelf.ts';
import { copyOf, isSidecar, removeCopy, sidecarChecksum, sidecarOf } from './sidecar.ts';

/** A copy as it is on disk. */
export interface FolderCopy extends StoredCopy {
  readonly stats: BigIntStats;
}

interface Looking {
  /** Limits disk operations. Default: none. */
  readonly semaphore?: Semaphore;
  /** The place in their order to begin at, from 0 to 1. */
  readonly start?: number;
  /** Called with each sidecar that has no copy. */
  readonly orphan?: (sidecar: string) => Promise<void>;
}

/** The copies in a folder, one at a time; none if the folder does not exist. */
export async function* storedCopies(folder: string, looking: Looking = {}): AsyncGenerator<FolderCopy> {
  const { semaphore, start = 0, orphan } = looking;
  const all = (await unlessMissing(readdir(folder))) ?? [];
  const names = all.filter((name) => /^[0-9a-f]{2}$/.test(name)).toSorted();
  const first = Math.floor(start * names.length);
  for (const two of [...names.slice(first), ...names.slice(0, first)]) {
    const found = await readdir(join(folder, two), { recursive: true, withFileTypes: true });
    const paths = new Set(found.flatMap((name) => (name.isFile() ? [join(name.parentPath, name.name)] : [])));
    for (const path of paths) {
      if (isSidecar(path)) {
        if (!paths.has(copyOf(path))) await orphan?.(path);
        continue;
      }
      const copy = await storedCopy(folder, path, semaphore);
      if (copy) yield copy;
    }
  }
}

/** The copy at a path as it is now. */
export const storedCopy = async (
  folder: string,
  path: string,
  semaphore: Semaphore = (work) => work(),
): Promise<FolderCopy | undefined> => {
  const stats = await semaphore(() => unlessMissing(stat(path, { bigint: true })));
  const sidecar = await semaphore(() => unlessMissing(stat(sidecarOf(path))));
  if (!stats) return undefined;
  const [madeAt, size, version] = [Number(stats.mtimeMs), Number(stats.size), signatureOf(stats)];
  const usedAt = sidecar?.mtimeMs ?? Number(stats.atimeMs);
  const names = { key: keyAt(folder, path), file: relative(folder, path), path };
  return { ...names, ...{ size, madeAt, usedAt, version, stats } };
};

/** The checksum that a copy must match: its name, or that in its sidecar. Absent if unknown. */
const checksumOf = async (folder: string, { path }: Pick<StoredCopy, 'path'>): Promise<Checksum | undefined> =>
  isAlone(folder, path) ? { algorithm: 'sha256', value: parse(path).name } : sidecarChecksum(path);

/**
 * A stored copy with the checksum that it must match: `known`, or the one in its name or sidecar.
 * Absent if none is known.
 */
export const identified = async (folder: string, stored: FolderCopy, known?: Checksum): Promise<Copy | undefined> => {
  const { key, path, stats } = stored;
  const checksum = known ?? (await checksumOf(folder, stored));
  return checksum && { key, path, stats, checksum, bare: isAlone(folder, path) };
};

/** Removes a copy, unless another one has replaced it since. Returns whether it did. */
export const removeStored = async (folder: string, { path, version }: StoredCopy): Promise<boolean> => {
  const stats = await unlessMissing(stat(path, { bigint: true }));
  if (!stats || signatureOf(stats) !== version) return false;
  await removeCopy(path);
  if (isAlone(folder, path)) await unlessMissing(removeIfEmpty(dirname(path)));
  return true;
};

/** Removes all copies whose name states no checksum of the catalog, but a revision. */
export const removeBare = async (folder: string): Promise<void> => {
  for await (const stored of storedCopies(folder)) if (isAlone(folder, stored.path)) await removeStored(folder, stored);
};
