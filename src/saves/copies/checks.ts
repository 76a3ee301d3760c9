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
/** Copies that are known to be right. More take memory; one that is forgotten is checked again. */
const KNOWN = 100_000;
/** Bytes. Larger copies are checked one at a time: the disk and a core have other work too. */
export const SMALL = 1024 * 1024;

/** A copy that is right. */
export interface Known {
  /** The header fields of the transfer that it was made of; absent for a copy of an earlier version. */
  readonly headers?: readonly Header[];
}

export interface Checks {
  /** The copy, if it was found right, or made, in this process, and looks untouched since. */
  known(copy: Copy): Known | undefined;
  /** Remembers a copy that was just made. */
  trust(path: string, stats: BigIntStats, headers?: readonly Header[]): void;
  /** Reads the copy and compares; a wrong one is removed and told. Resolves with the copy if it is right. Never rejects. */
  check(copy: Copy): Promise<Known | undefined>;
}

interface ChecksOptions {
  readonly onError: (error: unknown) => void;
  /** Runs work alone among all that moves the copy's files. */
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
      // A new copy may have taken its place meanwhile.
      if (!now || signatureOf(now) !== signatureOf(stats)) return;
      await removeCopy(path);
      onError(new Error(`${path}: ${fault}; it was removed`));
    });

  const check = async (copy: Copy): Promise<Known | undefined> => {
    const { path, stats, checksum, bare } = copy;
    try {
      const found = await digestOf(copy);
      if (found !== checksum.value) {
        await remove(copy, `its ${checksum.algorithm} is ${found}, expected was ${checksum.value}`);
        return undefined;
      }
      const headers = await readSidecar(copy);
      if (headers !== 'damaged') return trust(path, stats, headers);
      if (!bare) return trust(path, stats);
      // Its content coding is lost, and no checksum says that the bytes are the file itself.
      await remove(copy, 'what is written beside it is damaged');
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

/** Read in portions into one buffer; between them the event loop goes on. */
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
