import { constants, open as openFile, readlinkSync, realpath } from 'node:fs';
import { dirname, isAbsolute, normalize, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { type Location, StreamError } from '../../../pipelines/model/index.ts';
import { plainPath } from '../../lib/plain-path.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';

/**
 * Linux can name a file without opening it, and open it later by that name (O_PATH of open(2), which
 * `fs.constants` lacks). Elsewhere it is opened, a pipe without waiting, and judged by its real path.
 */
const PINS = process.platform === 'linux';
const FLAGS = PINS ? 0o10000000 : constants.O_RDONLY | constants.O_NONBLOCK;

const openFd = promisify(openFile);
const resolve = promisify(realpath.native);

/** A file that was found, but not opened. */
export interface Found {
  /** For `fstat`; to be closed. */
  readonly fd: number;
  /** As its location names it. */
  readonly path: string;
  /** The path that opens this very file, whatever its name has come to lead to; elsewhere its real path. */
  readonly link: string;
}

/**
 * Finds a location's file, symbolic links followed. On Linux it is not opened: that alone has effects on
 * some devices.
 */
export const find = async (location: Location): Promise<Found> => {
  const { url } = location;
  const path = plainPath(url);
  const root = rootOf(location);
  // To the operating system a file name ends at a NUL, but the check sees the whole text.
  if (path.includes('\0')) throw new StreamError('OUTSIDE_ROOT', 'disk', `${JSON.stringify(url)} has a NUL in it`);
  const fd = await openFd(path, FLAGS).catch((error: unknown) => {
    // Nothing else is said about what is named outside.
    throw root === undefined || isInside(normalize(root), normalize(path)) ? error : outside(path, root);
  });
  return { fd, path, link: PINS ? `/proc/self/fd/${fd}` : await resolve(path) };
};

/**
 * Resolves if a found file lies in its root, by default the folder that it is named in, or in one of the
 * others. What was found is judged, so no link can be exchanged in between. Rejects with OUTSIDE_ROOT.
 */
export const checkRoot = async ({ path, link }: Found, location: Location, others: readonly string[]) => {
  const own = rootOf(location) ?? dirname(path);
  // At once: the kernel has the path of an open file in memory.
  const real = PINS ? readlinkSync(link) : link;
  // No part of a real path is a link, so what it begins with needs not be resolved.
  if (isInside(normalize(own), real) || isInside(await resolve(own), real)) return;
  for (const other of others) {
    const folder = await unlessMissing(resolve(other));
    if (folder !== undefined && isInside(folder, real)) return;
  }
  throw outside(real === path ? path : `${path}, which leads to ${real},`, own);
};

/** The root that a location has itself, or that of its feed. */
export const rootOf = ({ root, access }: Location): string | undefined => root ?? access?.root;

const outside = (what: string, root: string): StreamError =>
  new StreamError('OUTSIDE_ROOT', 'disk', `${what} lies outside ${root}; the setting file_roots can permit it`);

const isInside = (root: string, path: string): boolean => {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
};
