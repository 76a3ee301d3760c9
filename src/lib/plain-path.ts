import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StreamError } from '../../pipelines/model/errors.ts';
import { messageOf } from './thrown.ts';
import { parseUrl } from './url.ts';

/** Whether a location is on disk: a `file:` URL or an absolute path. */
export const isOnDisk = (url: string): boolean => isAbsolute(url) || /^file:/i.test(url);

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

/** The root of the files at a base URL: its folder. Nothing for a feed over HTTP. */
export const rootAt = (base: string | undefined): { readonly root?: string } =>
  base !== undefined && isOnDisk(base) ? { root: plainPath(base) } : {};
