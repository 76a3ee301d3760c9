import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';

const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

const checkPlain = (stats: Stats, largest: number): void => {
  if (!stats.isFile()) throw new Error('it is not a regular file');
  if (stats.size > largest) throw new Error(`it is larger than ${largest} bytes`);
};

/** Bytes of the largest key, certificate or keyring. All keys of Debian's developers are half of it. */
const LARGEST = 64 * 1024 ** 2;

/**
 * The bytes of a regular file of at most `largest` bytes; throws for any other. What is not a file is
 * not opened: a pipe would wait for its writer, and so would everything else.
 */
export const readPlainBytesSync = (path: string, largest = LARGEST): Buffer => {
  checkPlain(statSync(path), largest);
  const file = openSync(path, FLAGS);
  try {
    // Another one may have its name by now.
    checkPlain(fstatSync(file), largest);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
};

/** The same, without waiting for the disk. */
export const readPlainBytes = async (path: string, largest = LARGEST): Promise<Buffer> => {
  checkPlain(await stat(path), largest);
  const file = await open(path, FLAGS);
  try {
    checkPlain(await file.stat(), largest);
    return await file.readFile();
  } finally {
    await file.close();
  }
};

/** The same file's text. */
export const readPlainFileSync = (path: string, largest?: number): string =>
  readPlainBytesSync(path, largest).toString();

/** The same, without waiting for the disk. */
export const readPlainFile = async (path: string, largest?: number): Promise<string> =>
  (await readPlainBytes(path, largest)).toString();
