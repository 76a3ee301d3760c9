import { realpath } from 'node:fs/promises';
import { isAbsolute, normalize, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Location, StreamError } from '../../../pipelines/model/index.ts';
import { messageOf } from '../../lib/thrown.ts';

/**
 * The path of a location's file, with every symbolic link resolved if the location has a root.
 * Rejects with SOURCE_BROKEN for what is no path, OUTSIDE_ROOT for what lies elsewhere than it may, else with the system's error.
 */
export const diskPath = async ({ url, root }: Pick<Location, 'url' | 'root'>): Promise<string> => {
  const path = plainPath(url);
  // A file's name ends at a NUL for the system, but not for whoever checked it.
  if (path.includes('\0')) throw outside(JSON.stringify(url), root);
  if (root === undefined) return path;
  const home = await realpath(root);
  const real = await realpath(path).catch((error: unknown) => {
    throw isInside(normalize(root), normalize(path)) ? error : outside(path, root);
  });
  if (!isInside(home, real)) throw outside(path, root);
  return real;
};

/** `file:` URLs percent-decoded (RFC 8089), plain absolute paths as they are. */
const plainPath = (url: string): string => {
  if (isAbsolute(url)) return url;
  try {
    return fileURLToPath(url);
  } catch (cause) {
    const text = `not a file’s place: “${url}” (${messageOf(cause)}); expected file:///… or an absolute path`;
    throw new StreamError('SOURCE_BROKEN', 'disk', text, { cause });
  }
};

const isInside = (root: string, path: string): boolean => {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
};

const outside = (path: string, root: string | undefined): StreamError =>
  new StreamError('OUTSIDE_ROOT', 'disk', `${path} lies outside ${root ?? 'what a path can name'}`);
