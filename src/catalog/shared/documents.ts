import type { SQLInputValue } from 'node:sqlite';
import { toChecksum } from '../../repositories/checksum.ts';
import { keyText } from '../../repositories/unit.ts';
import { objectIn } from '../json-column.ts';
import type { NewEntry, StoredEntry } from '../stored-entry.ts';

/** A number of a publication. Each change of the catalog takes the next one. */
export type Generation = number;

/** What was published for an importer below a prefix. */
export interface Publication {
  readonly importer_id: string;
  readonly prefix: string;
  readonly gen: Generation;
  readonly revision: number;
}

/**
 * The one document that says what counts. A change of the catalog counts from the moment when it is
 * replaced, which is atomic: readers see all of a publication, or nothing.
 */
export interface Head {
  readonly _id: string;
  readonly layout: number;
  /** The generation of the last change. */
  readonly version: Generation;
  /** Incremented when something was noted of a repository, which changes no entry. */
  readonly noted: number;
  /** Incremented when a label was set. */
  readonly labelled?: number;
  /** The last generation that was taken by a writer. */
  readonly reserved: Generation;
  /** The generation up to which no unfinished change has left anything. */
  readonly closed: Generation;
  readonly published: readonly Publication[];
  /** Generations of `catalog load`, whose entries have prefixes of their own. */
  readonly loads: readonly Generation[];
  /** What no longer counts, but may still be read by a request; `at`: milliseconds of the server's clock. */
  readonly retired: readonly (Pick<Publication, 'importer_id' | 'prefix' | 'gen'> & { readonly at: number })[];
  /** Who changes the catalog; free after `until`, in milliseconds of the server's clock. */
  readonly writer: { readonly token: string; readonly until: number };
  /** The token of the last change. */
  readonly last: string;
}

/**
 * An entry. Its id tells its age: `gen` and a number. `gen` is 0 if it counts without a publication.
 * Absent fields are null in a query.
 */
export interface EntryDocument {
  readonly _id: number;
  readonly gen: Generation;
  readonly path: string;
  readonly importer_id: string;
  readonly unit_id: string;
  readonly unit_type_id: string;
  readonly url: string;
  readonly revision: number;
  /** JSON, since its names may be none that a document can have. Absent: `{}`. */
  readonly data?: string;
  /** Since when it belongs to no revision, in Unix seconds: part of `data`. */
  readonly gone_since?: number;
  readonly checksum?: string;
  readonly checksum_algorithm?: string;
  readonly size?: number;
  readonly prefix?: string;
  readonly replaced?: boolean;
  /** The unit's key, as JSON. */
  readonly unit_key?: string;
  /** The id of the entry that it is a copy of: its age. */
  readonly age?: number;
}

export interface ImporterDocument {
  readonly _id: string;
  /** Its age. */
  readonly gen: Generation;
  readonly repo_id?: string;
  readonly importer_type_id?: string;
  /** JSON with sorted keys. */
  readonly config: string;
}

/** A repository as SQLite stores it. It counts if `gen` is that of its publication; 0: none. */
export interface RepositoryDocument {
  readonly _id: string;
  readonly gen: Generation;
  readonly importer_id: string;
  readonly prefix: string;
  readonly [column: string]: SQLInputValue;
}

/** Entries of one generation. */
const SPAN = 2 ** 24;

/** The id of the entry with a number in a generation. */
export const idOf = (gen: Generation, number: number): number => {
  if (number >= SPAN) throw new Error(`more than ${SPAN} entries at once`);
  return gen * SPAN + number;
};

export const ageOf = ({ _id, age = _id }: Pick<EntryDocument, '_id' | 'age'>): number => age;

export const newestFirst = (a: EntryDocument, b: EntryDocument): number => ageOf(b) - ageOf(a);

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

export const toEntry = (document: EntryDocument): StoredEntry => {
  const { checksum, checksum_algorithm, gone_since, prefix } = document;
  const data = document.data === undefined ? {} : objectIn(document.data, `${document.path}: data`);
  const size = document.size ?? data.size;
  return {
    path: document.path,
    importerId: document.importer_id,
    unitId: document.unit_id,
    unitTypeId: document.unit_type_id,
    url: document.url,
    ...(checksum !== undefined &&
      checksum_algorithm !== undefined && { checksum: toChecksum(checksum_algorithm, checksum) }),
    ...(isSize(size) && { size }),
    revision: document.revision,
    data: gone_since === undefined ? data : { ...data, gone_since },
    ...(prefix !== undefined && { prefix }),
    ...(document.replaced && { replaced: true }),
  };
};

export const toDocument = (_id: number, gen: Generation, entry: NewEntry): EntryDocument => {
  const { gone_since, ...data } = entry.data;
  return {
    _id,
    gen,
    path: entry.path,
    importer_id: entry.importerId,
    unit_id: entry.unitId,
    unit_type_id: entry.unitTypeId,
    url: entry.url,
    revision: entry.revision,
    ...(Object.keys(data).length > 0 && { data: JSON.stringify(data) }),
    ...(typeof gone_since === 'number' && { gone_since }),
    ...(entry.checksum && { checksum: entry.checksum.value, checksum_algorithm: entry.checksum.algorithm }),
    ...(entry.size !== undefined && { size: entry.size }),
    ...(entry.prefix !== undefined && { prefix: entry.prefix }),
    ...(entry.replaced && { replaced: true }),
    ...(entry.unitKey && { unit_key: keyText(entry.unitKey) }),
  };
};
