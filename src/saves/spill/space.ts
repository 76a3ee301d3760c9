import { randomUUID } from 'node:crypto';
import { close, closeSync, openSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { inheritFile, makeFolderSync } from '../../lib/private-files.ts';

/** Blocks of one file without a name, which goes with the process. */
export interface Space {
  /** The descriptor of the file, which is made when it is needed. Throws the system’s error. */
  open(): number;
  /** Sets blocks aside; returns whether there are as many. */
  reserve(blocks: number): boolean;
  /** Gives back what was set aside and not taken. */
  cancel(blocks: number): void;
  /** The number of a block, one of those set aside. */
  take(): number;
  give(blocks: readonly number[]): void;
  /** Blocks that are taken. */
  used(): number;
  close(): void;
}

/** Of the file's name, for the moment that it has one. */
const ENDING = '.spill';

/**
 * Makes the space of at most `most` blocks. Removes what a process left in the folder that was
 * killed before it could remove the file's name. If no block is used, the file is closed, and the
 * disk has its room again.
 */
export const openSpace = (folder: string, most: number): Space => {
  makeFolderSync(folder);
  for (const name of readdirSync(folder)) if (name.endsWith(ENDING)) rmSync(join(folder, name), { force: true });
  let fd: number | undefined;
  let free: number[] = [];
  let next = 0;
  let used = 0;
  let reserved = 0;

  const make = (): number => {
    const path = join(folder, randomUUID() + ENDING);
    const opened = openSync(path, 'wx+', 0o600);
    try {
      inheritFile(opened, path);
      unlinkSync(path);
    } catch (error) {
      closeSync(opened);
      throw error;
    }
    return opened;
  };
  const settle = () => {
    if (used > 0 || reserved > 0 || fd === undefined) return;
    // Not truncated: that would block for a large file.
    close(fd, () => {});
    fd = undefined;
    free = [];
    next = 0;
  };

  return {
    open: () => {
      fd ??= make();
      return fd;
    },
    reserve: (blocks) => {
      if (used + reserved + blocks > most) return false;
      reserved += blocks;
      return true;
    },
    cancel: (blocks) => {
      reserved -= blocks;
      settle();
    },
    take: () => {
      reserved -= 1;
      used += 1;
      const block = free.pop() ?? next;
      if (block === next) next += 1;
      return block;
    },
    give: (blocks) => {
      used -= blocks.length;
      free.push(...blocks);
      settle();
    },
    used: () => used,
    close: () => {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
};
