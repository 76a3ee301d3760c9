import { randomUUID } from 'node:crypto';
import { statfs, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../lib/thrown.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import type { PartialFolder } from './partial-folder.ts';

/** The free room on the disk of the copies. */
export interface Room {
  /** Notes an error of the disk. */
  failed(error: unknown): void;
  /** Whether there is room for content of a length. Never rejects. */
  has(bytes: number): Promise<boolean>;
}

/** Bytes that a full disk must take before it counts as usable again. */
const PROBE = 64 * 1024;

/** A disk or a quota that is full, or a disk that takes nothing. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

/**
 * Knows whether a fetch for a copy is worthwhile. The free bytes of the file system say nothing of
 * quotas, so a disk that once was full has to prove that it takes bytes.
 */
export const makeRoom = (partial: PartialFolder): Room => {
  let full = false;

  const takesBytes = async (): Promise<boolean> => {
    try {
      const probe = join(partial.path(), `room-${randomUUID()}`);
      await writeFile(probe, Buffer.alloc(PROBE), { flag: 'wx', mode: 0o600 }).finally(() =>
        unlessMissing(unlink(probe)).catch(() => undefined),
      );
      return true;
    } catch {
      return false;
    }
  };

  return {
    failed: (error) => {
      full ||= FULL.has(codeOf(error));
    },
    has: async (bytes) => {
      if (full) full = !(await takesBytes());
      if (full) return false;
      try {
        const { bavail, bsize } = await statfs(partial.path());
        return bavail * bsize >= bytes;
      } catch {
        // Unknown: writing the copy shows it.
        return true;
      }
    },
  };
};
