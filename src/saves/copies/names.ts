import { hash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { dirname, extname, join, parse, relative, sep } from 'node:path';
import type { CatalogEntry } from '../../../pipelines/model/index.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import type { Copy } from './copy.ts';
import { isSidecar } from './sidecar.ts';

/**
 * The key of the copies of one content: path and checksum, so that a new checksum never meets an
 * old copy. Without a checksum, the revision takes its place, because a new revision may describe
 * other content.
 */
export const keyOf = ({ path, url, revision, checksum }: CatalogEntry): string =>
  hash('sha256', JSON.stringify(checksum ? [path, checksum.algorithm, checksum.value] : [path, url, revision]), 'hex');

/**
 * The file name of an entry's copy: `ab/cdef….rpm`. Without a catalog checksum it contains the
 * SHA-256 of the content, computed during the transfer: `ab/cdef…/SHA256.rpm`. A single rename then
 * puts content and checksum in place together.
 */
export const placeOf = (folder: string, entry: CatalogEntry, key: string, sha256: string): string =>
  (entry.checksum ? baseOf(folder, key) : join(baseOf(folder, key), sha256)) + extensionOf(entry.path);

/** The copy of an entry, if it exists. Rejects with the system's error. */
export const findCopy = async (folder: string, entry: CatalogEntry, key = keyOf(entry)): Promise<Copy | undefined> => {
  const path = entry.checksum ? placeOf(folder, entry, key, '') : await onlyFileIn(baseOf(folder, key));
  const stats = path && (await unlessMissing(stat(path, { bigint: true })));
  if (!stats) return undefined;
  const checksum = entry.checksum ?? { algorithm: 'sha256', value: parse(path).name };
  return { key, path, stats, checksum, bare: !entry.checksum };
};

const baseOf = (folder: string, key: string): string => join(folder, key.slice(0, 2), key.slice(2));

const onlyFileIn = async (folder: string): Promise<string | undefined> => {
  const name = (await unlessMissing(readdir(folder)))?.find((name) => !isSidecar(name));
  return name && join(folder, name);
};

/**
 * The extension is kept because the media type depends on it. Paths come from outside, so only
 * harmless characters are accepted.
 */
const extensionOf = (path: string): string => extname(path).match(/^\.[A-Za-z0-9_-]{1,16}$/)?.[0] ?? '';

/** `ab/cdef….rpm`, `ab/cdef…/SHA256.rpm`: the key is `abcdef…`. */
export const keyAt = (folder: string, path: string): string => {
  const [two = '', name = ''] = relative(folder, path).split(sep);
  return two + (isAlone(folder, path) ? name : parse(name).name);
};

/** Whether the copy has a separate folder. */
export const isAlone = (folder: string, path: string): boolean => relative(folder, dirname(path)).includes(sep);
