import type { OpenSpill } from '../../../pipelines/model/index.ts';
import { BLOCK } from '../../lib/block-sums.ts';
import { createSemaphore } from '../../lib/semaphore.ts';
import { makeBacklog } from '../copies/write-backlog.ts';
import { openSpace, type Space } from './space.ts';
import { startSpilling } from './spilling.ts';

interface SpillOptions {
  /** Made if it is missing. Spill files that are left in it are removed. */
  readonly folder: string;
  /** Bytes of all transfers together. */
  readonly limit: number;
  /** Called with each error of the disk. Must not throw. */
  readonly onError: (error: unknown) => void;
}

/** The disk on which bytes wait for slow clients. */
export interface Spills {
  readonly open: OpenSpill;
  /** Bytes that wait on disk. */
  used(): number;
  close(): void;
}

/**
 * Bytes that wait for the disk, of all transfers together: above the first number these pause, and
 * above the second, which a disk that hangs reaches, a transfer waits for its client.
 */
const BACKLOG = { enough: 4 * 1024 * 1024, limit: 16 * 1024 * 1024 };
/** Disk operations at a time: each holds one of libuv's four threads. */
const DISK_LINES = 2;

/**
 * Lets bytes of transfers wait on disk: in one file without a name, so that nothing remains of it
 * after the process, however it ends. If the folder cannot be used, nothing waits on disk.
 */
export const openSpills = ({ folder, limit, onError }: SpillOptions): Spills => {
  let closed = false;
  const report = (error: unknown) => {
    // Writes under way fail when the file is closed.
    if (!closed) onError(error);
  };
  const space = spaceIn(folder, Math.floor(limit / BLOCK), report);
  if (!space) return { open: () => undefined, used: () => 0, close: () => {} };
  const common = {
    space,
    onError: report,
    backlog: makeBacklog(BACKLOG.limit, BACKLOG),
    semaphore: createSemaphore(DISK_LINES),
  };
  return {
    open: (from, rest) => {
      const blocks = rest === undefined ? 1 : Math.ceil(rest / BLOCK);
      if (!space.reserve(blocks)) return undefined;
      try {
        space.open();
        return startSpilling(common, from, blocks);
      } catch (error) {
        space.cancel(blocks);
        report(error);
        return undefined;
      }
    },
    used: () => space.used() * BLOCK,
    close: () => {
      closed = true;
      space.close();
    },
  };
};

const spaceIn = (folder: string, blocks: number, report: (error: unknown) => void): Space | undefined => {
  if (blocks === 0) return undefined;
  try {
    return openSpace(folder, blocks);
  } catch (error) {
    report(error);
    return undefined;
  }
};
