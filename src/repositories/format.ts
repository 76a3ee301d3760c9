import type { Checksum } from '../../pipelines/model/index.ts';
import type { UnitKey } from './unit.ts';

/** A repository while it is read. Paths are relative to its base and literal: not percent-encoded. */
export interface Repository {
  /** The repository's URL, for messages. */
  readonly base: string;
  /** A file's bytes. Rejects with SOURCE_MISSING or SOURCE_REFUSED where the repository has no such file. */
  read(path: string, size?: number): AsyncIterable<Uint8Array>;
  /** Notes that the repository lists an index which it does not have. */
  missing(path: string): void;
}

/** One file that a client of the repository may ask for: a package or a file of metadata. */
export interface RepositoryItem {
  /** Below the repository's base, literal. */
  readonly path: string;
  readonly unitTypeId: string;
  readonly unitKey: UnitKey;
  readonly checksum: Checksum;
  readonly size?: number;
}

/** What to read of a repository that has more than is wanted. Only `deb` repositories have. */
export interface Selection {
  /** Names below `dists/`, or folders with a slash at their end for flat repositories. Default: flat, at the base. */
  readonly suites?: readonly string[];
  /** Default: all. */
  readonly components?: readonly string[];
  /** Default: all. */
  readonly architectures?: readonly string[];
}

/**
 * Reads a repository's metadata and yields each file once it is known, packages as they are parsed, in bounded memory.
 * Metadata that has a checksum is checked against it; a mismatch may show only after the file's items were yielded, so nothing
 * that was yielded counts before the end. Throws errors that name the file, what was found and what was expected.
 */
export type Format = (repository: Repository, selection: Selection) => AsyncGenerator<RepositoryItem>;

/** The unit type of files that describe a repository. Not one of Pulp's: it publishes metadata of its own. */
export const METADATA = 'metadata';

export const metadataItem = (path: string, checksum: Checksum, size?: number): RepositoryItem => ({
  path,
  unitTypeId: METADATA,
  unitKey: { name: path, checksum: checksum.value },
  checksum,
  ...(size !== undefined && { size }),
});
