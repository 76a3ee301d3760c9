import * as fs from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { inheritFile } from '../../lib/private-files.ts';

// Bare descriptors: a FileHandle costs more, and closes itself when it is forgotten.
export const openFd = promisify(fs.open);
export const closeFd = promisify(fs.close);
export const syncFd = promisify(fs.fsync);
const writeFd = promisify(fs.writev);

/** Writes all of it: the system may take less than it was given, for instance the last that fits on a disk. */
export const writeAll = async (fd: number, chunks: readonly Uint8Array[]): Promise<void> => {
  let left = chunks;
  while (left.length > 0) {
    const { bytesWritten } = await writeFd(fd, left);
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

/** Makes a small file. If `synced`, it outlives a power cut. */
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

/** Makes what was written to a file, or the names in a folder, outlive a power cut. */
export const syncPath = async (path: string): Promise<void> => {
  const fd = await openFd(path, fs.constants.O_RDONLY);
  try {
    await syncFd(fd);
  } finally {
    await closeFd(fd);
  }
};

/** `undefined` where there is no such file. */
export const unlessMissing = async <T>(work: Promise<T>): Promise<T | undefined> => {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

/** Removes a folder, unless something is in it. */
export const removeIfEmpty = async (folder: string): Promise<void> => {
  try {
    await rmdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
  }
};

/** Changes with every way to touch a file. */
export const signatureOf = ({ ino, size, mtimeNs, ctimeNs }: fs.BigIntStats): string =>
  [ino, size, mtimeNs, ctimeNs].join();
