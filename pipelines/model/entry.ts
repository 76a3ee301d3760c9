/** How a file's content is known. Algorithms are those that Pulp 2 catalogs; the value is lower-case hexadecimal. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
}

export const CHECKSUM_ALGORITHMS = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/**
 * What the catalog knows of one path: one document of Pulp 2's `lazy_content_catalog`.
 * Several entries may exist for a path (several importers, or two revisions for a moment); the newest counts first.
 */
export interface CatalogEntry {
  /** The storage path that clients ask for, matched exactly. */
  readonly path: string;
  /** 24 hexadecimal digits: whose credentials and feed settings apply. */
  readonly importerId: string;
  readonly unitId: string;
  readonly unitTypeId: string;
  /** Where the feed keeps the file: `http:`, `https:` or `file:`. */
  readonly url: string;
  readonly checksum?: Checksum;
  /** Whole length in bytes, where the catalog knows it. */
  readonly size?: number;
  readonly revision: number;
  /** Other content was catalogued under this path before: a date says nothing of which one somebody has, the entity tag alone does. */
  readonly replaced?: boolean;
  /** What the catalog's owner put beside it; handed on to the save task, never looked into. */
  readonly data: Readonly<Record<string, unknown>>;
}
