import type { StoredEntry } from './stored-entry.ts';

/** An entry as a line of JSON, in Pulp's field names. */
export const toLine = (entry: StoredEntry): string =>
  JSON.stringify({
    path: entry.path,
    importer_id: entry.importerId,
    unit_id: entry.unitId,
    unit_type_id: entry.unitTypeId,
    url: entry.url,
    checksum: entry.checksum?.value,
    checksum_algorithm: entry.checksum?.algorithm,
    size: entry.size,
    revision: entry.revision,
    data: entry.data,
    prefix: entry.prefix,
    replaced: entry.replaced,
  });
