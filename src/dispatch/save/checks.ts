import { createHash } from 'node:crypto';
import { type BigIntStats, read } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { atMost } from './at-most.ts';
import { closeFd, openFd, signatureOf, unlessMissing } from './files.ts';
import type { Copy } from './names.ts';

const readFd = promisify(read);
const READ = 256 * 1024;
/** Copies that are known to be right. More take memory; one that is forgotten is checked again. */
const KNOWN = 100_000;
/** Bytes. Larger copies are checked one at a time: the disk and a core have other work too. */
export const SMALL = 1024 * 1024;

export interface Checks {
  /** Whether the copy was found right, or made, in this process, and looks untouched since. */
  isKnown(copy: Copy): boolean;
  /** Remembers a copy that was just made. */
  trust(path: string, stats: BigIntStats): void;
  /** Reads the copy and compares; a wrong one is removed and told. Resolves with whether it is right. Never rejects. */
  check(copy: Copy): Promise<boolean>;
}

interface ChecksOptions {
  readonly onError: (error: unknown) => void;
  /** Runs work alone among all that moves the copy's files. */
  readonly alone: (copy: Copy, work: () => Promise<void>) => Promise<void>;
}

export const makeChecks = ({ onError, alone }: ChecksOptions): Checks => {
  const known = new Map<string, string>();
  const running = new Map<string, Promise<boolean>>();
  const oneByOne = atMost(1);

  const trust = (path: string, stats: BigIntStats) => {
    known.delete(path);
    known.set(path, signatureOf(stats));
    const [oldest] = known.keys();
    if (known.size > KNOWN && oldest !== undefined) known.delete(oldest);
  };

  const remove = (copy: Copy, found: string) =>
    alone(copy, async () => {
      const { path, stats, checksum } = copy;
      const now = await unlessMissing(stat(path, { bigint: true }));
      // A new copy may have taken its place meanwhile.
      if (!now || signatureOf(now) !== signatureOf(stats)) return;
      await unlink(path);
      onError(
        new Error(`${path}: its ${checksum.algorithm} is ${found}, expected was ${checksum.value}; it was removed`),
      );
    });

  const check = async (copy: Copy): Promise<boolean> => {
    try {
      const found = await digestOf(copy);
      if (found === copy.checksum.value) trust(copy.path, copy.stats);
      else await remove(copy, found);
      return found === copy.checksum.value;
    } catch (error) {
      onError(error);
      return false;
    } finally {
      running.delete(copy.path);
    }
  };

  return {
    isKnown: ({ path, stats }) => known.get(path) === signatureOf(stats),
    trust,
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

/** Read in portions into one buffer; between them the event loop goes on. */
const digestOf = async ({ path, checksum }: Copy): Promise<string> => {
  const hash = createHash(checksum.algorithm);
  const buffer = Buffer.allocUnsafe(READ);
  const fd = await openFd(path, 'r');
  try {
    for (;;) {
      const { bytesRead } = await readFd(fd, buffer, 0, READ, null);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await closeFd(fd);
  }
};
