import type { Db, Document } from 'mongodb';
import { z } from 'zod';
import { type CatalogEntry, type Child, StreamError } from '../../../pipelines/model/index.ts';
import { messageOf } from '../../lib/thrown.ts';
import { toChecksum } from '../../repositories/checksum.ts';
import { childOf, hasName, isSame, rangeAfter } from '../children.ts';
import { checkBounds, faultsOf, idOf, newestFirst, textOf, wholeOf } from './documents.ts';
import { missingUnits } from './units.ts';

/** A document of `lazy_content_catalog`. Absent fields may be null. */
const schema = z.object({
  importer_id: z.string(),
  unit_id: z.string(),
  unit_type_id: z.string(),
  url: z.string(),
  checksum: z.string().nullish(),
  checksum_algorithm: z.string().nullish(),
  data: z.record(z.string(), z.unknown()).nullish(),
});

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** The entry of a document; throws naming the fields that are wrong. */
export const toEntry = (path: string, document: Document): CatalogEntry => {
  checkBounds(document);
  const read = schema.safeParse(document);
  if (!read.success) throw new Error(faultsOf(read.error));
  const { importer_id, unit_id, unit_type_id, url, checksum, checksum_algorithm, data } = read.data;
  const revision = wholeOf(document.revision);
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

/** Documents of one path that are read: one for each importer and revision. Pulp makes a few. */
const MOST = 1000;

/**
 * The entries of a path, newest first, those whose unit is missing after the others. Unreadable
 * entries are skipped if another one is readable. Otherwise rejects with SOURCE_BROKEN and the
 * reason.
 */
export const findEntries = async (database: Db, path: string, maxTimeMS: number): Promise<readonly CatalogEntry[]> => {
  // Sorted here: they are few, and no index of Pulp's has both the path and the order. With a sort
  // in the query, MongoDB might read the whole collection in the order of `_id` instead.
  const limits = { maxTimeMS, limit: MOST + 1 };
  const documents = await database.collection('lazy_content_catalog').find({ path }, limits).toArray();
  if (documents.length > MOST)
    throw new StreamError('SOURCE_BROKEN', 'catalog', `${path}: more than ${MOST} documents of lazy_content_catalog`);
  documents.sort((a, b) => newestFirst(a, b) || wholeOf(b.revision) - wholeOf(a.revision));
  const faults: string[] = [];
  const entries = documents.flatMap((document) => {
    try {
      return [toEntry(path, document)];
    } catch (error) {
      faults.push(`lazy_content_catalog ${idOf(document)}: ${messageOf(error)}`);
      return [];
    }
  });
  if (entries.length === 0 && faults.length > 0)
    throw new StreamError('SOURCE_BROKEN', 'catalog', `${path}: ${faults.join('; ')}`);
  const missing = new Set(await missingUnits(database, entries, maxTimeMS));
  return [
    ...entries.filter((entry) => !missing.has(entry)),
    ...entries.filter((entry) => missing.has(entry)).map((entry) => ({ ...entry, unitMissing: true })),
  ];
};

const CHILD = { path: 1, checksum: 1, checksum_algorithm: 1, 'data.size': 1 };

/** What is directly below a folder, as the port Catalog emits it. Unreadable entries have no size. */
export const findChildren = async (
  database: Db,
  folder: string,
  after: Child | undefined,
  limit: number,
  maxTimeMS: number,
): Promise<readonly Child[]> => {
  const found: Child[] = [];
  let last = after;
  // A folder's own paths are skipped by a new query.
  for (let more = true; more && found.length < limit; ) {
    more = false;
    const [from, before] = rangeAfter(folder, last);
    const cursor = database
      .collection('lazy_content_catalog')
      .find({ path: { $gte: from, $lt: before } }, { projection: CHILD, maxTimeMS, batchSize: limit })
      // Pulp's index on paths, backwards.
      .sort({ path: 1, importer_id: 1, revision: 1 });
    for await (const document of cursor) {
      const child = childOf(folder, knownOf(document));
      if (isSame(child, last)) {
        // A newer revision.
        if (!child.isFolder && isSame(child, found.at(-1))) found[found.length - 1] = child;
        continue;
      }
      if (found.length === limit) break;
      last = child;
      if (hasName(child)) found.push(child);
      more = child.isFolder;
      if (more) break;
    }
  }
  return found;
};

/** The fields of an entry that a listing shows. */
const knownOf = ({
  path,
  checksum,
  checksum_algorithm,
  data,
}: Document): Pick<CatalogEntry, 'path' | 'size' | 'checksum'> => {
  const known = { path: textOf(path), ...(isSize(data?.size) && { size: data.size }) };
  try {
    return checksum && checksum_algorithm ? { ...known, checksum: toChecksum(checksum_algorithm, checksum) } : known;
  } catch {
    // A request for it is answered with the reason.
    return known;
  }
};
