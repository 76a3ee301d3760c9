import type { Validators } from '../../pipelines/model/index.ts';
import type { Selection, Signature } from '../repositories/format.ts';

/** Files that nothing else vouches for, by URL. As long as they stay the same, so does what they name. */
export interface Roots {
  /** The SHA-256 of each; `null` for one that does not exist. */
  readonly digests: Readonly<Record<string, string | null>>;
  /** The state of those that the feed has told it of: so long the digest is the same. */
  readonly states: Readonly<Record<string, Validators>>;
}

/** A repository that was imported: how to import it again, and what came of the last time. */
export interface StoredRepository {
  /** Its place in the catalog, without a slash at the end. */
  readonly prefix: string;
  /** The importer whose entries it has there. */
  readonly importerId: string;
  readonly format: string;
  /** Its URL, with a slash at the end. */
  readonly base: string;
  readonly selection: Selection;
  /** Whether an odd entry ends the import. */
  readonly strict: boolean;
  /**
   * The file of the keys, one of which must have signed it, and the digest of these keys. Absent if
   * signatures are not checked.
   */
  readonly keyring?: { readonly file: string; readonly sha256: string };
  /** The URL of a metalink that states the versions of its `repomd.xml`. */
  readonly metalink?: string;
  /** Seconds after which it is imported again. Absent: only on request. */
  readonly every?: number;
  /**
   * Whether it is compared with its feed when clients ask for it: then it is in the catalog before
   * the first import, with `succeeded` 0.
   */
  readonly follows?: boolean;
  /** Whether its metadata lists all that clients can know of. */
  readonly complete?: boolean;
  /** Entries of its last revision. */
  readonly packages: number;
  readonly metadata: number;
  /** The roots of its last revision. Absent if they are not certain. */
  readonly roots?: Roots;
  /** Who has signed its last revision. Absent if that was not checked. */
  readonly signature?: Signature;
  /** Unix seconds of the last success and of the last try. */
  readonly succeeded: number;
  readonly attempted: number;
  /** The reason why the last try failed. Absent if it did not. */
  readonly problem?: string;
  /** Unix seconds of the next try, if a daemon has planned one after a failure. */
  readonly nextTry?: number;
}

/** Identifies a repository. */
export type RepositoryKey = Pick<StoredRepository, 'prefix' | 'importerId'>;
