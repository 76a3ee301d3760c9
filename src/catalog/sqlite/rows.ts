import type { SQLInputValue } from 'node:sqlite';
import { toChecksum } from '../../repositories/checksum.ts';
import { objectIn } from '../json-column.ts';
import type { StoredEntry } from '../stored-entry.ts';

/** One row of `lazy_content_catalog`. */
export interface EntryRow {
  readonly path: string;
  readonly importer_id: string;
  readonly unit_id: string;
  readonly unit_type_id: string;
  readonly url: string;
  readonly checksum: string | null;
  readonly checksum_algorithm: string | null;
  readonly size: number | null;
  readonly revision: number;
  readonly data: string;
  readonly prefix: string | null;
  /** 0 or 1. */
  readonly replaced: number;
}

export const COLUMNS =
  'path, importer_id, unit_id, unit_type_id, url, checksum, checksum_algorithm, size, revision, data, prefix, replaced';

/**
 * SQL: since when an entry belongs to no revision, in Unix seconds. It is kept for clients that have
 * read the metadata of the revision before.
 */
export const GONE_SINCE = "json_extract(data, '$.gone_since')";

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

export const toEntry = (row: EntryRow): StoredEntry => {
  const data = objectIn(row.data, `${row.path}: data`);
  const size = row.size ?? data.size;
  const entry: { -readonly [field in keyof StoredEntry]: StoredEntry[field] } = {
    path: row.path,
    importerId: row.importer_id,
    unitId: row.unit_id,
    unitTypeId: row.unit_type_id,
    url: row.url,
    revision: row.revision,
    data,
  };
  // Absent if unknown. Assigned, since each request makes one: a spread makes an object for each.
  if (row.checksum !== null && row.checksum_algorithm !== null)
    entry.checksum = toChecksum(row.checksum_algorithm, row.checksum);
  if (isSize(size)) entry.size = size;
  if (row.prefix !== null) entry.prefix = row.prefix;
  if (row.replaced === 1) entry.replaced = true;
  return entry;
};

/** The values of `COLUMNS`, in that order. */
export const toValues = (entry: StoredEntry): SQLInputValue[] => [
  entry.path,
  entry.importerId,
  entry.unitId,
  entry.unitTypeId,
  entry.url,
  entry.checksum?.value ?? null,
  entry.checksum?.algorithm ?? null,
  entry.size ?? null,
  entry.revision,
  JSON.stringify(entry.data),
  entry.prefix ?? null,
  Number(entry.replaced ?? false),
];
