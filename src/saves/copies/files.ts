import * as fs from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { inheritFile } from '../../lib/private-files.ts';

// Bare descriptors: a FileHandle costs more, and closes itself if garbage-collected.
export const openFd = promisify(fs.open);
export const closeFd = promisify(fs.close);
export const syncFd = promisify(fs.fsync);
const writeFd = promisify(fs.writev);

/**
 * Writes everything, from a place in the file on, or where the last write ended. The system may
 * write less than requested, as on an almost full disk.
 */
export const writeAll = async (fd: number, chunks: readonly Uint8Array[], at?: number): Promise<void> => {
  let left = chunks;
  for (let place = at; left.length > 0; ) {
    const { bytesWritten } = await writeFd(fd, left, place);
    if (place !== undefined) place += bytesWritten;
    left = without(left, bytesWritten);
  }
};

const without = (chunks: readonly Uint8Array[], written: number): Uint8Array[] => {
  let skip = written;
  return chunks.flatMap((chunk) => {
    const taken = Math.min(skip, chunk.length);
    skip -= taken;
    return taken === chunk.length ? [] : [chunk.subarray(taken)];
  });
};

/** Creates a small file. If `synced`, it survives a power cut. */
export const writeNew = async (path: string, text: string, synced: boolean): Promise<void> => {
  const fd = await openFd(path, 'wx', 0o600);
  try {
    inheritFile(fd, path);
    await writeAll(fd, [Buffer.from(text)]);
    if (synced) await syncFd(fd);
  } finally {
    await closeFd(fd);
  }
};

/** Syncs a file's content, or the names in a folder, so that they survive a power cut. */
export const syncPath = async (path: string): Promise<void> => {
  const fd = await openFd(path, fs.constants.O_RDONLY);
  try {
    await syncFd(fd);
  } finally {
    await closeFd(fd);
  }
};

/** Removes a folder if it is empty. */
export const removeIfEmpty = async (folder: string): Promise<void> => {
  try {
    await rmdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
  }
};
