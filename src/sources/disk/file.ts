import { type BigIntStats, close, constants, fstat, open } from 'node:fs';
import { promisify } from 'node:util';
import { type ErrorCode, type Location, StreamError } from '../../../pipelines/model/index.ts';
import { codeOf, messageOf } from '../../lib/thrown.ts';
import { diskPath } from './path.ts';

/** A regular file, open for reading. */
export interface DiskFile {
  readonly fd: number;
  readonly path: string;
  readonly stats: BigIntStats;
  /** Its user calls this once. */
  close(): void;
}

/**
 * Opens a location's file. Rejects with a StreamError, with nothing left open.
 *
 * If the location has a root, the last path segment must not be a symbolic link: it would have
 * appeared after the path was resolved. Without O_NONBLOCK, opening a named pipe would wait for a
 * writer, and block a thread.
 */
export const openDiskFile = async (location: Location): Promise<DiskFile> => {
  try {
    const path = await diskPath(location);
    const noFollow = location.root === undefined ? 0 : constants.O_NOFOLLOW;
    const fd = await openFd(path, constants.O_RDONLY | constants.O_NONBLOCK | noFollow);
    try {
      const stats = await statFd(fd, { bigint: true });
      if (!stats.isFile())
        throw new StreamError('SOURCE_MISSING', 'disk', `${path} is ${whatIs(stats)}; expected a file`);
      return { fd, path, stats, close: () => closeFd(fd) };
    } catch (error) {
      closeFd(fd);
      throw error;
    }
  } catch (error) {
    throw diskError(error, location.url);
  }
};

const openFd = promisify(open);
const statFd = promisify(fstat) as (fd: number, options: { bigint: true }) => Promise<BigIntStats>;

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
  EACCES: 'no permission to read it',
};

const KINDS: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'SOURCE_MISSING',
  ENOTDIR: 'SOURCE_MISSING',
  ENAMETOOLONG: 'SOURCE_MISSING',
  // Opening a socket fails with this.
  ENXIO: 'SOURCE_MISSING',
  EACCES: 'SOURCE_REFUSED',
  EPERM: 'SOURCE_REFUSED',
  ELOOP: 'OUTSIDE_ROOT',
};

const whatIs = (stats: BigIntStats): string => {
  if (stats.isDirectory()) return 'a folder';
  return stats.isFIFO() ? 'a named pipe' : 'a device';
};
