import { createHash } from 'node:crypto';
import { type BigIntStats, read } from 'node:fs';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Header } from '../../../pipelines/model/index.ts';
import type { Copy } from './copy.ts';
import { closeFd, openFd, signatureOf, unlessMissing } from './files.ts';
import { createSemaphore } from './semaphore.ts';
import { readSidecar, removeCopy } from './sidecar.ts';

const readFd = promisify(read);
const READ = 256 * 1024;
/** The limit of copies remembered as verified. A forgotten one is verified again. */
const KNOWN = 100_000;
/** Bytes. Larger copies are verified one at a time, to leave disk and CPU for other work. */
export const SMALL = 1024 * 1024;

/** A verified copy. */
export interface Known {
  /** The header fields of its first transfer; absent for a copy of an earlier version. */
  readonly headers?: readonly Header[];
}

export interface Checks {
  /** The copy, if this process verified or created it and its file is unchanged since. */
  known(copy: Copy): Known | undefined;
  /** Remembers a copy that was just created. */
  trust(path: string, stats: BigIntStats, headers?: readonly Header[]): void;
  /**
   * Reads and verifies the copy. A wrong one is removed and reported. Resolves with the copy if it
   * is right. Never rejects.
   */
  check(copy: Copy): Promise<Known | undefined>;
}

interface ChecksOptions {
  readonly onError: (error: unknown) => void;
  /** Runs work while no other work moves the copy's files. */
  readonly exclusively: (copy: Copy, work: () => Promise<void>) => Promise<void>;
}

export const makeChecks = ({ onError, exclusively }: ChecksOptions): Checks => {
  const known = new Map<string, Known & { readonly signature: string }>();
  const running = new Map<string, Promise<Known | undefined>>();
  const oneByOne = createSemaphore(1);

  const trust = (path: string, stats: BigIntStats, headers?: readonly Header[]): Known => {
    const right = { signature: signatureOf(stats), headers };
    known.delete(path);
    known.set(path, right);
    const [oldest] = known.keys();
    if (known.size > KNOWN && oldest !== undefined) known.delete(oldest);
    return right;
  };

  const remove = (copy: Copy, fault: string) =>
    exclusively(copy, async () => {
      const { path, stats } = copy;
      const now = await unlessMissing(stat(path, { bigint: true }));
      // A new copy may have replaced it in between.
      if (!now || signatureOf(now) !== signatureOf(stats)) return;
      await removeCopy(path);
      onError(new Error(`${path}: ${fault}; it was removed`));
    });

  const check = async (copy: Copy): Promise<Known | undefined> => {
    const { path, stats, checksum, bare } = copy;
    try {
      const found = await digestOf(copy);
      if (found !== checksum.value) {
        await remove(copy, `its ${checksum.algorithm} is ${found}, expected ${checksum.value}`);
        return undefined;
      }
      const headers = await readSidecar(copy);
      if (headers !== 'damaged') return trust(path, stats, headers);
      if (!bare) return trust(path, stats);
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

/** Reads in portions into one buffer, so that the event loop runs in between. */
export const digestOf = async ({ path, checksum }: Pick<Copy, 'path' | 'checksum'>): Promise<string> => {
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
