import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { CatalogEntry, Checksum } from '../../../pipelines/model/index.ts';
import { unlessMissing } from './files.ts';

/** A file under its final name: whole when it got there. */
export interface Copy {
  readonly key: string;
  readonly path: string;
  readonly stats: BigIntStats;
  /** What its content must match. */
  readonly checksum: Checksum;
}

/**
 * What tells the copies of one content from all others: path and checksum, so that a new checksum never meets an old copy.
 * Where the catalog has no checksum its revision stands in: what a new revision describes may be other content.
 */
export const keyOf = ({ path, url, revision, checksum }: CatalogEntry): string =>
  createHash('sha256')
    .update(JSON.stringify(checksum ? [path, checksum.algorithm, checksum.value] : [path, url, revision]))
    .digest('hex');

/**
 * Where the copy of an entry lies: `ab/cd/ef….rpm`. Without a catalog checksum the content's own sha256, taken when it was kept, stands in
 * the name as well, `ab/cd/ef….SHA256.rpm`: one rename puts content and checksum in place together.
 */
export const placeOf = (folder: string, entry: CatalogEntry, sha256 = ''): string => {
  const key = keyOf(entry);
  const name = entry.checksum ? key.slice(4) : `${key.slice(4)}.${sha256}`;
  return join(folder, key.slice(0, 2), key.slice(2, 4), name + extensionOf(entry.path));
};

/** The copy of an entry, if there is one; rejects with what the system says. */
export const findCopy = async (folder: string, entry: CatalogEntry): Promise<Copy | undefined> => {
  const path = await pathOf(folder, entry);
  const stats = path && (await unlessMissing(stat(path, { bigint: true })));
  if (!stats) return undefined;
  return {
    key: keyOf(entry),
    path,
    stats,
    checksum: entry.checksum ?? { algorithm: 'sha256', value: ownSha256(path) },
  };
};

const pathOf = async (folder: string, entry: CatalogEntry): Promise<string | undefined> => {
  const place = placeOf(folder, entry);
  if (entry.checksum) return place;
  const names = await unlessMissing(readdir(dirname(place)));
  const start = `${keyOf(entry).slice(4)}.`;
  const name = names?.find((name) => name.startsWith(start));
  return name && join(dirname(place), name);
};

const ownSha256 = (path: string): string => basename(path).split('.')[1] ?? '';

/** Kept, so that the media type can still be told from the name. Paths come from others: only what is harmless in a name. */
const extensionOf = (path: string): string => extname(path).match(/^\.[A-Za-z0-9_-]{1,16}$/)?.[0] ?? '';
