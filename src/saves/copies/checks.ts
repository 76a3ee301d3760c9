import { createHash, randomUUID } from 'node:crypto';
import { type BigIntStats, read } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BlockSums, Header } from '../../../pipelines/model/index.ts';
import { sameSums, sumBlocks } from '../../lib/block-sums.ts';
import type { Copy } from './copy.ts';
import { closeFd, openFd, signatureOf, unlessMissing } from './files.ts';
import { createSemaphore } from './semaphore.ts';
import { type Described, readSidecar, removeCopy, replaceSidecar, sidecarText } from './sidecar.ts';

const readFd = promisify(read);
const READ = 256 * 1024;
/**
 * The limits of copies remembered as verified, and of their blocks: 4 million are 256 GiB of
 * content. A forgotten copy is recalled or verified again.
 */
const KNOWN = 100_000;
const KNOWN_BLOCKS = 4 * 1024 * 1024;
/** Bytes. Larger copies are verified one at a time, to leave disk and CPU for other work. */
export const SMALL = 1024 * 1024;

/** A verified copy. */
export interface Known {
  /** The header fields of its first transfer; absent for a copy of an earlier version. */
  readonly headers?: readonly Header[];
  /** The sums of its blocks, which each read compares. */
  readonly blocks: BlockSums;
}

export interface Checks {
  /** The copy, if this process verified or created it and its file is unchanged since. */
  known(copy: Copy): Known | undefined;
  /**
   * The copy, if an earlier process verified it, wrote the sums of its blocks, and the file has the
   * same size and time. The sums prove its bytes when they are read. Rejects with the system's
   * error.
   */
  recall(copy: Copy): Promise<Known | undefined>;
  /** Remembers a copy that was just created. */
  trust(path: string, stats: BigIntStats, known: Known): void;
  /** Forgets a copy whose bytes were wrong: it is not known again before it was verified. */
  doubt(path: string): void;
  /**
   * Reads and verifies the copy. A wrong one is removed and reported. Resolves with the copy if it
   * is right; its sidecar then has the sums of its blocks. Never rejects.
   */
  check(copy: Copy): Promise<Known | undefined>;
}

interface ChecksOptions {
  readonly onError: (error: unknown) => void;
  /** Runs work while no other work moves the copy's files. */
  readonly exclusively: (copy: Copy, work: () => Promise<void>) => Promise<void>;
  /** The folder of files in the making. */
  readonly partial: string;
}

export const makeChecks = ({ onError, exclusively, partial }: ChecksOptions): Checks => {
  const known = new Map<string, Known & { readonly signature: string }>();
  const doubted = new Set<string>();
  const running = new Map<string, Promise<Known | undefined>>();
  const oneByOne = createSemaphore(1);

  let blocksKnown = 0;

  const forget = (path: string) => {
    blocksKnown -= known.get(path)?.blocks.crc32.length ?? 0;
    known.delete(path);
  };

  const trust = (path: string, stats: BigIntStats, { headers, blocks }: Known): Known => {
    const right = { signature: signatureOf(stats), headers, blocks };
    forget(path);
    doubted.delete(path);
    known.set(path, right);
    blocksKnown += blocks.crc32.length;
    for (const oldest of known.keys()) {
      if (known.size <= KNOWN && blocksKnown <= KNOWN_BLOCKS) break;
      forget(oldest);
    }
    return right;
  };

  const recall = async (copy: Copy): Promise<Known | undefined> => {
    const { path, stats } = copy;
    if (doubted.has(path)) return undefined;
    const described = await readSidecar(copy);
    if (described === undefined || described === 'damaged') return undefined;
    const { headers, blocks, modified } = described;
    const isSame = blocks && BigInt(blocks.length) === stats.size && modified === stats.mtimeNs;
    return isSame && !doubted.has(path) ? trust(path, stats, { headers, blocks }) : undefined;
  };

  /** Writes the sums into the sidecar of a right copy, unless it has them. */
  const describe = (copy: Copy, { headers, ...found }: Described, blocks: BlockSums) => {
    const { path, stats, checksum } = copy;
    const { mtimeNs: modified } = stats;
    if (found.blocks && sameSums(found.blocks, blocks) && found.modified === modified) return undefined;
    return exclusively(copy, async () => {
      if (!(await isUnchanged(copy))) return;
      await replaceSidecar(path, join(partial, randomUUID()), sidecarText(checksum, { headers, blocks, modified }));
    });
  };

  const remove = (copy: Copy, fault: string) =>
    exclusively(copy, async () => {
      const { path } = copy;
      if (!(await isUnchanged(copy))) return;
      await removeCopy(path);
      forget(path);
      doubted.delete(path);
      onError(new Error(`${path}: ${fault}; it was removed`));
    });

  const check = async (copy: Copy): Promise<Known | undefined> => {
    const { path, stats, checksum, bare } = copy;
    const summer = sumBlocks();
    try {
      const found = await digestOf(copy, summer.update);
      if (found !== checksum.value) {
        await remove(copy, `its ${checksum.algorithm} is ${found}, expected ${checksum.value}`);
        return undefined;
      }
      const blocks = summer.sums();
      const described = await readSidecar(copy);
      if (described && described !== 'damaged') {
        await describe(copy, described, blocks);
        return trust(path, stats, { headers: described.headers, blocks });
      }
      if (!described || !bare) return trust(path, stats, { blocks });
      // The content coding is lost, and no checksum proves that the bytes are the file itself.
      await remove(copy, 'its sidecar is damaged');
      return undefined;
    } catch (error) {
      onError(error);
      return undefined;
    } finally {
      running.delete(path);
    }
  };

  return {
    known: ({ path, stats }) => {
      const one = known.get(path);
      return one?.signature === signatureOf(stats) ? one : undefined;
    },
    recall,
    trust,
    doubt: (path) => {
      forget(path);
      doubted.add(path);
    },
    check: (copy) => {
      const under = running.get(copy.path);
      if (under) return under;
      const work = () => check(copy);
      const checking = copy.stats.size <= SMALL ? work() : oneByOne(work);
      running.set(copy.path, checking);
      return checking;
    },
  };
};

/** Whether the file is the same as when it was found: a new copy may have replaced it in between. */
const isUnchanged = async ({ path, stats }: Copy): Promise<boolean> => {
  const now = await unlessMissing(stat(path, { bigint: true }));
  return now !== undefined && signatureOf(now) === signatureOf(stats);
};

/** Reads in portions into one buffer, so that the event loop runs in between. */
export const digestOf = async (
  { path, checksum }: Pick<Copy, 'path' | 'checksum'>,
  also: (bytes: Uint8Array) => void = () => {},
): Promise<string> => {
  const hash = createHash(checksum.algorithm);
  const buffer = Buffer.allocUnsafe(READ);
  const fd = await openFd(path, 'r');
  try {
    for (;;) {
      const { bytesRead } = await readFd(fd, buffer, 0, READ, null);
      if (bytesRead === 0) return hash.digest('hex');
      const bytes = buffer.subarray(0, bytesRead);
      hash.update(bytes);
      also(bytes);
    }
  } finally {
    await closeFd(fd);
  }
};
