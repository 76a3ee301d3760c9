import type { Observable } from 'rxjs';
import type { Access, Checksum, Validators } from '../../pipelines/model/index.ts';
import type { Limits } from './reader/guard.ts';
import type { UnitKey } from './unit.ts';

/** A repository while it is read. Paths are relative to its base and not percent-encoded. */
export interface Repository {
  /** The repository's URL, for messages. */
  readonly base: string;
  /**
   * Reads a file. If its checksum is known, the source may be replaced on the way, and the bytes are
   * verified. Rejects with SOURCE_MISSING or SOURCE_REFUSED if it does not exist.
   */
  read(path: string, expected?: Expected): AsyncIterable<Uint8Array>;
  /** Reports an index that the repository lists but does not have. */
  missing(path: string): void;
  /** Reports odd entries that are left out: their number, and what is wrong with the first. */
  leftOut(problem: string, count: number): void;
  /** Absent if signatures are not checked. */
  readonly signatures?: Signatures;
  /** What the process that reads it may take. Absent: as much as usual. */
  readonly limits?: Limits;
  /** Reports entries that clients fetch past the streamer: their number, and the first. */
  bypassed(what: string, count: number): void;
}

/** How the signatures of a repository are checked. */
export interface Signatures {
  /** The file of the keys, one of which must have signed it. */
  readonly keyring: string;
  /** Reports who has. A repository may consist of several that are signed, such as suites. */
  verified(signature: Signature): void;
}

/** A key with which a repository is signed. */
export interface Signer {
  /** The key's user: a name, and usually an address in angle brackets. */
  readonly name: string;
  /** The fingerprint of the primary key. */
  readonly key: string;
}

/** What a signature vouches for. Times are Unix seconds. */
export interface Signature {
  readonly signers: readonly Signer[];
  /** When the metadata was made, as it states itself. */
  readonly date?: number;
  /** From when on it no longer counts. */
  readonly until?: number;
}

/** The checksum and size that a file must have. */
export interface Expected {
  readonly checksum?: Checksum;
  readonly size?: number;
}

/** Reads a file. Rejects with SOURCE_MISSING or SOURCE_REFUSED if it does not exist. */
export type ReadFile = (url: string, expected?: Expected, state?: FileState) => AsyncIterable<Uint8Array>;

/** The state of a file at its feed. */
export interface FileState {
  /** If the file is still in this state, it is not read: there are no bytes. */
  readonly unless?: Validators;
  /** Called before the first byte with the state of the file, or with `unless` if it is still in it. */
  readonly found: (state: Validators) => void;
}

/** Reads files of repositories with an access. `until` ends what is being read. */
export type OpenFiles = (
  access: Access,
  options?: {
    /** For `file:` URLs: the folder that the files must lie in. */
    readonly root?: string;
    readonly until?: Observable<unknown>;
  },
) => ReadFile;

/** A unit that a repository has. */
export interface FoundUnit {
  readonly unitTypeId: string;
  readonly unitKey: UnitKey;
  /**
   * The unit's file below the repository's base, not percent-encoded. If the unit has several
   * files, it is their folder, with a slash at its end, or empty.
   */
  readonly path: string;
}

/** One file that a client of the repository may request: a package or a metadata file. */
export interface RepositoryItem extends FoundUnit {
  /** Absent if the metadata states none. */
  readonly checksum?: Checksum;
  readonly size?: number;
}

/** The part of a repository to read. Only `deb` repositories can be read in part. */
export interface Selection {
  /**
   * Checksum lists below the base, whose files belong to the repository too. Default: none, but one
   * with a usual name can stand for a PULP_MANIFEST.
   */
  readonly lists?: readonly string[];
  /** Names below `dists/`, or flat folders ending with a slash. Default: flat, at the base. */
  readonly suites?: readonly string[];
  /** Default: all. */
  readonly components?: readonly string[];
  /** Default: all. Source packages are those of architecture `source`. */
  readonly architectures?: readonly string[];
}

/**
 * Reads a repository's metadata in bounded memory. Yields each file as soon as it is known, and
 * packages as they are parsed. Metadata with a checksum is verified. A mismatch may show only after
 * the file's items were yielded, so no item is valid before the end. Throws errors that name the
 * file, the value found and the value expected.
 */
export type Reader<Item extends FoundUnit = FoundUnit> = (
  repository: Repository,
  selection: Selection,
) => AsyncGenerator<Item>;

/** A reader of the files that clients may request. */
export type Format = Reader<RepositoryItem>;

/** The unit type of metadata files. Pulp has no such type, because it generates metadata. */
export const METADATA = 'metadata';

/** The unit type of a version of `repomd.xml` that a metalink states: its checksum, without a path. */
export const VERSION = 'repomd';

export const metadataItem = (path: string, checksum?: Checksum, size?: number): RepositoryItem => ({
  path,
  unitTypeId: METADATA,
  unitKey: { name: path, ...(checksum && { checksum: checksum.value }) },
  ...(checksum && { checksum }),
  ...(size !== undefined && { size }),
});

/**
 * A format without repetitions of metadata files: the first mention of a path counts. Several files
 * can list the same one, with a digest of another algorithm or an outdated one.
 */
export const firstMentions = (format: Format): Format =>
  async function* (repository, selection) {
    const known = new Set<string>();
    for await (const item of format(repository, selection)) {
      if (item.unitTypeId === METADATA) {
        if (known.has(item.path)) continue;
        known.add(item.path);
      }
      yield item;
    }
  };
