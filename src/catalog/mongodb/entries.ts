import type { Db } from 'mongodb';
import { z } from 'zod';
import { type CatalogEntry, StreamError } from '../../../pipelines/model/index.ts';
import { messageOf } from '../../lib/thrown.ts';
import { toChecksum } from '../../repositories/checksum.ts';

/** A document of `lazy_content_catalog`. Absent fields may be null. */
const schema = z.object({
  importer_id: z.string(),
  unit_id: z.string(),
  unit_type_id: z.string(),
  url: z.string(),
  checksum: z.string().nullish(),
  checksum_algorithm: z.string().nullish(),
  revision: z.number().default(0),
  data: z.record(z.string(), z.unknown()).nullish(),
});

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** The entry of a document; throws naming the fields that are wrong. */
export const toEntry = (path: string, document: unknown): CatalogEntry => {
  const read = schema.safeParse(document);
  if (!read.success)
    throw new Error(read.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; '));
  const { importer_id, unit_id, unit_type_id, url, checksum, checksum_algorithm, revision, data } = read.data;
  return {
    path,
    importerId: importer_id,
    unitId: unit_id,
    unitTypeId: unit_type_id,
    url,
    ...(checksum && checksum_algorithm && { checksum: toChecksum(checksum_algorithm, checksum) }),
    ...(isSize(data?.size) && { size: data.size }),
    revision,
    // Pulp increments it whenever a synchronisation catalogues the path again, whether or not the
    // content changed.
    ...(revision > 1 && { replaced: true }),
    data: data ?? {},
  };
};

const newestFirst = (a: string, b: string): number => (a < b ? 1 : a > b ? -1 : 0);

/**
 * The entries of a path, newest first. Unreadable entries are skipped if another one is readable.
 * Otherwise rejects with SOURCE_BROKEN and the reason.
 */
export const findEntries = async (database: Db, path: string, maxTimeMS: number): Promise<readonly CatalogEntry[]> => {
  // Sorted here: they are few, and no index of Pulp's has both the path and the order. With a sort
  // in the query, MongoDB might read the whole collection in the order of `_id` instead.
  const documents = await database.collection('lazy_content_catalog').find({ path }, { maxTimeMS }).toArray();
  documents.sort(
    (a, b) => newestFirst(String(a._id), String(b._id)) || (Number(b.revision) || 0) - (Number(a.revision) || 0),
  );
  const faults: string[] = [];
  const entries = documents.flatMap((document) => {
    try {
      return [toEntry(path, document)];
    } catch (error) {
      faults.push(`lazy_content_catalog ${document._id}: ${messageOf(error)}`);
      return [];
    }
  });
  if (entries.length === 0 && faults.length > 0)
    throw new StreamError('SOURCE_BROKEN', 'catalog', `${path}: ${faults.join('; ')}`);
  return entries;
};
