/**
 * The checksum of a file's content, by an algorithm that Pulp 2 catalogs. The value is lower-case
 * hexadecimal.
 */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
}

/** The algorithms of checksums. */
export const CHECKSUM_ALGORITHMS = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'] as const;
/** One of `CHECKSUM_ALGORITHMS`. */
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/** Whether an entry's content can be saved: what changes without notice is known by its checksum alone. */
export const isLasting = ({ checksum, maxAge }: CatalogEntry): boolean =>
  checksum !== undefined || maxAge === undefined;

/**
 * The catalog's data about one path: one document of Pulp 2's `lazy_content_catalog`. A path can
 * have several entries, from several importers or, for a moment, of two revisions. The newest
 * counts first.
 */
export interface CatalogEntry {
  /** The storage path that clients request, matched exactly. */
  readonly path: string;
  /** 24 hexadecimal digits. The importer has the credentials and the settings of the feed. */
  readonly importerId: string;
  readonly unitId: string;
  readonly unitTypeId: string;
  /** The file's location at the feed: `http:`, `https:` or `file:`. */
  readonly url: string;
  /** For `file:` URLs: the folder that the file must lie in. Default: that of its importer, or its own. */
  readonly root?: string;
  readonly checksum?: Checksum;
  /** Length of the whole content in bytes, if the catalog has it. */
  readonly size?: number;
  readonly revision: number;
  /**
   * The path had other content before. So a date does not identify the content that a client has;
   * only the entity tag does.
   */
  readonly replaced?: boolean;
  /**
   * The catalog does not have the unit, so it cannot be saved. The entry comes after all others.
   */
  readonly unitMissing?: boolean;
  /**
   * Milliseconds that caches may keep the content, if that is less than for others: its name stays
   * when it changes. Without a checksum, such content is not saved.
   */
  readonly maxAge?: number;
  /** Milliseconds since its feed last confirmed it, if the feed could not be asked since. */
  readonly staleFor?: number;
  /**
   * The revision that it is of, in words, if clients ask for that one: later ones may be at the feed.
   */
  readonly asOf?: string;
  /** Further data of the catalog's owner. It is passed on to the save task and never read. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** An entry as an embedder writes it: its path and its location. */
export type EntryOptions = Pick<CatalogEntry, 'path' | 'url'> & Partial<CatalogEntry>;

/**
 * An entry with what only a catalog of Pulp's kind knows filled in: no importer, and a unit that is
 * named by the checksum, otherwise by the path. `options` override these defaults.
 */
export const catalogEntry = (options: EntryOptions): CatalogEntry => ({
  importerId: '',
  unitId: options.checksum?.value ?? options.path,
  unitTypeId: 'file',
  revision: 1,
  data: {},
  ...options,
});
