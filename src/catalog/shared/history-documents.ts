import type { EntryDocument, Generation } from './documents.ts';

/** A revision that was published with a generation. */
export interface RevisionDocument {
  readonly _id: string;
  readonly gen: Generation;
  readonly importer_id: string;
  readonly prefix: string;
  readonly revision: number;
  readonly published: number;
  /** Known from the next one, and noted before that is removed. */
  readonly superseded?: number;
  readonly packages: number;
  readonly metadata: number;
  /** What the earlier ones had was not noted: they are forgotten. */
  readonly starts: boolean;
}

export interface LabelDocument {
  readonly _id: string;
  readonly prefix: string;
  readonly name: string;
  readonly named: readonly { readonly importer_id: string; readonly revision: number }[];
  readonly moved: number;
}

/**
 * What a path was before the revision `until` changed it: an entry without its generation, or none. It
 * is true of all kept revisions before, whether that change came to its end or not.
 */
export interface BeforeDocument extends Partial<Omit<EntryDocument, '_id' | 'gen' | 'path' | 'importer_id'>> {
  readonly _id: string;
  readonly path: string;
  readonly importer_id: string;
  readonly prefix: string;
  readonly until: number;
}
