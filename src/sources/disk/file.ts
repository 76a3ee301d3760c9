import { type BigIntStats, close, closeSync, constants, fstatSync, open } from 'node:fs';
import { promisify } from 'node:util';
import { type ErrorCode, type Location, StreamError } from '../../../pipelines/model/index.ts';
import { codeOf, messageOf } from '../../lib/thrown.ts';
import { checkRoot, find } from './path.ts';

/** A regular file, open for reading. */
export interface DiskFile {
  readonly fd: number;
  readonly path: string;
  readonly stats: BigIntStats;
  /** Its user calls this once. */
  close(): void;
}

/**
 * Opens a location's file, which must lie in its root or in one of the others. Rejects with a
 * StreamError, with nothing left open. Only a regular file is opened.
 */
export const openDiskFile = async (location: Location, otherRoots: readonly string[] = []): Promise<DiskFile> => {
  try {
    const found = await find(location);
    try {
      await checkRoot(found, location, otherRoots);
      const { path } = found;
      // At once: it was looked up just now, so the kernel knows what it is, also on a network disk.
      const stats = fstatSync(found.fd, { bigint: true });
      if (!stats.isFile())
        throw new StreamError('SOURCE_MISSING', 'disk', `${path} is ${whatIs(stats)}; expected a file`);
      const fd = await openFd(found.link, constants.O_RDONLY);
      return { fd, path, stats, close: () => closeFd(fd) };
    } finally {
      // At once: nothing was opened by it on Linux, so nothing has to be waited for.
      closeSync(found.fd);
    }
  } catch (error) {
    throw diskError(error, location.url);
  }
};

const openFd = promisify(open);

/**
 * The descriptor is read-only, so a failing close loses nothing. Without a callback the error would
 * end the process.
 */
const closeFd = (fd: number): void => close(fd, () => {});

/** Turns an error of the operating system into a StreamError that names the file. */
export const diskError = (thrown: unknown, path: string): StreamError => {
  if (thrown instanceof StreamError) return thrown;
  return new StreamError(
    KINDS[codeOf(thrown)] ?? 'UNREADABLE',
    'disk',
    `${path}: ${SAYINGS[codeOf(thrown)] ?? messageOf(thrown)}`,
    {
      cause: thrown,
    },
  );
};

/** Plain texts for errors whose system text repeats the path and names a system call. */
const SAYINGS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'a part of its path is not a folder',
  EACCES: 'no permission to read it',
};

const KINDS: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'SOURCE_MISSING',
  ENOTDIR: 'SOURCE_MISSING',
  ENAMETOOLONG: 'SOURCE_MISSING',
  EACCES: 'SOURCE_REFUSED',
  EPERM: 'SOURCE_REFUSED',
  ELOOP: 'OUTSIDE_ROOT',
};

const whatIs = (stats: BigIntStats): string => {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a named pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
};
