import { realpath } from 'node:fs/promises';
import { isAbsolute, normalize, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Location, StreamError } from '../../../pipelines/model/index.ts';
import { messageOf } from '../../lib/thrown.ts';
import { parseUrl } from '../../lib/url.ts';

/**
 * The path of a location's file, with every symbolic link resolved if the location has a root.
 * Rejects with SOURCE_BROKEN if the URL is not a path, with OUTSIDE_ROOT if the file is outside the
 * root, and otherwise with the system's error.
 */
export const diskPath = async ({ url, root }: Pick<Location, 'url' | 'root'>): Promise<string> => {
  const path = plainPath(url);
  // To the operating system a file name ends at a NUL, but the check sees the whole text.
  if (path.includes('\0')) throw outside(JSON.stringify(url), root);
  if (root === undefined) return path;
  const home = await realpath(root);
  const real = await realpath(path).catch((error: unknown) => {
    throw isInside(normalize(root), normalize(path)) ? error : outside(path, root);
  });
  if (!isInside(home, real)) throw outside(path, root);
  return real;
};

/** Percent-decodes `file:` URLs (RFC 8089); returns plain absolute paths unchanged. */
export const plainPath = (url: string): string => {
  if (isAbsolute(url)) return url;
  try {
    return fileURLToPath(parseUrl(url) ?? url);
  } catch (cause) {
    const text = `not a file URL or path: “${url}” (${messageOf(cause)}); expected file:///… or an absolute path`;
    throw new StreamError('SOURCE_BROKEN', 'disk', text, { cause });
  }
};

const isInside = (root: string, path: string): boolean => {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
};

const outside = (path: string, root: string | undefined): StreamError =>
  new StreamError('OUTSIDE_ROOT', 'disk', `${path} lies outside ${root ?? 'the file system'}`);
