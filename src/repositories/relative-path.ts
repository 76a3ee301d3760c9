import { decodePath } from '../../pipelines/model/spelling.ts';
import { maskUrl } from '../lib/mask.ts';
import { parseUrl } from '../lib/url.ts';
import { BOUNDS, shortened } from './bounds.ts';
import { OddEntry } from './odd-entry.ts';

const isControl = (character: string): boolean => character < ' ' || character === '\x7f';

/** Bytes that are not UTF-8 are decoded to it. */
const REPLACED = '\ufffd';

const checked = (location: string, path: string, saidBy: string, leadsOut: boolean): string => {
  const fault =
    path === '' || path.endsWith('/')
      ? 'is not a file'
      : leadsOut
        ? 'leads out of the repository'
        : path.length > BOUNDS.path
          ? `is longer than ${BOUNDS.path} characters`
          : [...path].some(isControl)
            ? 'contains control characters'
            : path.includes(REPLACED)
              ? 'is not UTF-8'
              : undefined;
  if (fault)
    throw new OddEntry(`${saidBy}: location ${JSON.stringify(shortened(location))} ${fault}, expected a relative path`);
  return path;
};

/**
 * Converts a file's location in metadata to a literal path below the repository's base. Throws an
 * OddEntry that begins with `saidBy` if the path would leave the base. Locations are file names, not
 * URL references: `%2B` in one is not a plus sign. createrepo_c, dpkg-scanpackages, dnf and apt
 * agree on that.
 */
export const toRelativePath = (location: string, saidBy: string): string => {
  const path = location.replace(/^(\.\/+)+/, '');
  const isOutside = path.startsWith('/') || path.includes('://') || !staysBelow(path);
  return checked(location, path, saidBy, isOutside);
};

const isDots = (part: string): boolean => part === '..' || part === '.';

/** Whether a literal path names something below its base: it has no dot segments. */
export const staysBelow = (path: string): boolean => !path.split('/').some(isDots);

/**
 * Converts a file's location as clients and servers do: dnf and apt add `/` and the location to the
 * base, and one of the two sides removes dot segments from the URL (RFC 3986 section 5.2.4). So the
 * path may begin with `../`. Throws an OddEntry if it is not a file.
 */
export const resolvedPath = (location: string, saidBy: string): string => {
  const kept: string[] = [];
  for (const part of location.replace(/^\/+/, '').split('/')) {
    if (part === '.') continue;
    if (part === '..' && kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else kept.push(part);
  }
  return checked(location, isDots(location.slice(location.lastIndexOf('/') + 1)) ? '' : kept.join('/'), saidBy, false);
};

/**
 * Converts the URL of a file, which clients use as it is, to a path from a base at the same host.
 * Throws an OddEntry if it is at another host.
 */
export const pathFrom = (base: string, location: string, saidBy: string): string => {
  const url = parseUrl(location);
  const from = parseUrl(base);
  if (!url || url.origin !== from?.origin || url.origin === 'null')
    throw new OddEntry(`${saidBy}: ${maskUrl(location)} is at another host, from which clients fetch it themselves`);
  const folders = from.pathname.split('/').slice(1, -1);
  const parts = url.pathname.split('/').slice(1);
  const differs = [...folders, undefined].findIndex((folder, at) => at === parts.length - 1 || folder !== parts[at]);
  const up = folders.slice(differs).map(() => '..');
  return checked(location, [...up, ...parts.slice(differs).map(decodePath)].join('/'), saidBy, false);
};

/** Encodes a literal path for a URL, plus signs too: some stores read them as spaces. */
export const toUrlPath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

/** The URL of a path that may begin with `../`. */
export const urlOf = (base: string, path: string): string =>
  path.startsWith('../') ? new URL(base + toUrlPath(path)).href : base + toUrlPath(path);
