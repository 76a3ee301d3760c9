import type { Selection } from '../../repositories/format.ts';

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
  /**
   * The SHA-256 of each file of the last revision that nothing else vouches for, by URL; `null` for
   * one that did not exist. As long as they stay the same, so does everything that they name.
   * Absent if that is not certain.
   */
  readonly roots?: Readonly<Record<string, string | null>>;
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
