import { type BigIntStats, stat } from 'node:fs';
import { promisify } from 'node:util';
import type { Location } from '../../../pipelines/model/index.ts';
import { signatureOf } from '../../lib/file-signature.ts';
import { plainPath } from '../../lib/plain-path.ts';
import { type DiskFile, openDiskFile } from './file.ts';
import { rootOf } from './path.ts';

/** Files that stay open for the next request. */
export interface Descriptors {
  /** As `openDiskFile`. A file that is still open is used again if its name still leads to it. */
  open(location: Location): Promise<DiskFile>;
  /** Closes all files that no request reads; the others when they are released. */
  close(): void;
}

/**
 * Bytes. Only for small files does opening them cost more than reading them. A removed file that is
 * open still takes up its space.
 */
const SMALL = 64 * 1024;
const MOST = 256;
/** Milliseconds without a use after which a file is closed. */
const IDLE = 10_000;

interface Kept {
  readonly file: DiskFile;
  readonly signature: string;
  holders: number;
  /** Whether it is no longer found here: the last holder closes it. */
  dropped: boolean;
  usedAt: number;
}

const statAt = promisify(stat) as (path: string, options: { bigint: true }) => Promise<BigIntStats>;

/**
 * Keeps small files open. Each use compares what the name leads to with the open file: device,
 * inode, size and times. So a replaced, changed or removed file is never served as if it was still
 * there. A location that states the `version` of its file was looked up already.
 *
 * A file that was once found within its root is the same file later: no link to it has to be
 * resolved again.
 */
export const keepDescriptors = (otherRoots: readonly string[] = []): Descriptors => {
  const kept = new Map<string, Kept>();
  let sweeping: NodeJS.Timeout | undefined;

  const drop = (key: string, one: Kept) => {
    if (kept.get(key) === one) kept.delete(key);
    one.dropped = true;
    if (one.holders === 0) one.file.close();
  };

  const sweep = () => {
    sweeping = undefined;
    const before = performance.now() - IDLE;
    for (const [key, one] of kept) if (one.usedAt < before) drop(key, one);
    if (kept.size > 0) sweeping = setTimeout(sweep, IDLE).unref();
  };

  const use = (key: string, one: Kept): DiskFile => {
    one.holders += 1;
    one.usedAt = performance.now();
    kept.delete(key);
    kept.set(key, one);
    sweeping ??= setTimeout(sweep, IDLE).unref();
    return {
      ...one.file,
      close: () => {
        one.holders -= 1;
        if (one.dropped && one.holders === 0) one.file.close();
      },
    };
  };

  const keep = (key: string, file: DiskFile): DiskFile => {
    if (file.stats.size > SMALL) return file;
    const before = kept.get(key);
    if (before) drop(key, before);
    for (const [oldest, one] of kept) {
      if (kept.size < MOST) break;
      drop(oldest, one);
    }
    return use(key, { file, signature: signatureOf(file.stats), holders: 0, dropped: false, usedAt: 0 });
  };

  const isSame = async ({ signature }: Kept, { url, version }: Location): Promise<boolean> => {
    if (version !== undefined) return version === signature;
    try {
      return signatureOf(await statAt(plainPath(url), { bigint: true })) === signature;
    } catch {
      // Opening it gives the reason.
      return false;
    }
  };

  return {
    open: async (location) => {
      const key = `${rootOf(location) ?? ''}\0${location.url}`;
      const one = kept.get(key);
      if (one && (await isSame(one, location)) && !one.dropped) return use(key, one);
      if (one) drop(key, one);
      return keep(key, await openDiskFile(location, otherRoots));
    },
    close: () => {
      clearTimeout(sweeping);
      for (const [key, one] of kept) drop(key, one);
    },
  };
};
