import type { BigIntStats } from 'node:fs';
import { catchError, firstValueFrom, mergeMap, type Observable, of } from 'rxjs';
import type { BlockSums, Header } from '../../../pipelines/model/index.ts';
import { ShortLivedMap } from '../../../pipelines/operators/short-lived-map.ts';
import { signatureOf } from '../../lib/file-signature.ts';
import { createSemaphore } from '../../lib/semaphore.ts';
import { codeOf } from '../../lib/thrown.ts';
import type { Copy } from './copy.ts';
import type { PartialFolder } from './partial-folder.ts';
import type { Pace } from './read-whole.ts';
import { readSidecar, removeCopy } from './sidecar.ts';
import { isUnchanged, type Right, verifyCopy, writeSums } from './verification.ts';

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
  /** Whether there may be a known copy under this name. */
  remembers(path: string): boolean;
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
  /**
   * The same in the background, as `pace` allows. Emits once and completes; never errors.
   * Unsubscribing stops reading.
   */
  scrub(copy: Copy, pace: Pace): Observable<unknown>;
}

interface ChecksOptions {
  readonly onError: (error: unknown) => void;
  /** Runs work while no other work moves the copy's files. */
  readonly exclusively: (copy: Copy, work: () => Promise<void>) => Promise<void>;
  /** The folder of files in the making. */
  readonly partial: PartialFolder;
}

export const makeChecks = ({ onError, exclusively, partial }: ChecksOptions): Checks => {
  const known = new Map<string, Known & { readonly signature: string }>();
  const doubted = new Set<string>();
  const running = new ShortLivedMap<string, Promise<Known | undefined>>();
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

  const remove = (copy: Copy, fault: string) =>
    exclusively(copy, async () => {
      const { path } = copy;
      if (!(await isUnchanged(copy))) return;
      await removeCopy(path);
      forget(path);
      doubted.delete(path);
      onError(new Error(`${path}: ${fault}; it was removed`));
    });

  /** Verifies a copy; removes a wrong one, and writes the sums of a right one. */
  const verify = (copy: Copy, pace?: Pace): Observable<Right | undefined> =>
    verifyCopy(copy, pace).pipe(
      mergeMap(async (verdict) => {
        if ('fault' in verdict) {
          await remove(copy, verdict.fault);
          return undefined;
        }
        if (!verdict.hasSums) await exclusively(copy, () => writeSums(copy, verdict, partial));
        return verdict;
      }),
      catchError((error: unknown) => {
        // It may have been removed in between.
        if (codeOf(error) !== 'ENOENT') onError(error);
        return of(undefined);
      }),
    );

  const check = async (copy: Copy): Promise<Known | undefined> => {
    const { path, stats } = copy;
    const right = await firstValueFrom(verify(copy)).finally(() => running.delete(path));
    return right && trust(path, stats, right);
  };

  return {
    known: ({ path, stats }) => {
      const one = known.get(path);
      return one?.signature === signatureOf(stats) ? one : undefined;
    },
    remembers: (path) => known.has(path),
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
    scrub: verify,
  };
};
