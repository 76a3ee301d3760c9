import type { Answer } from './answer.ts';
import type { Keeping } from './history.ts';
import type { NewEntry } from './stored-entry.ts';
import type { StoredRepository } from './stored-repository.ts';

/** The result of publishing a revision. */
export interface Published {
  readonly revision: number;
  readonly added: number;
  /** Entries of earlier revisions. */
  readonly removed: number;
}

/** How long clients may still ask for paths of the revision before. Unix seconds, and seconds. */
export interface Grace {
  readonly now: number;
  readonly seconds: number;
}

/**
 * Two entries with the same path, importer and revision but different content. Numbers count the
 * entries written, from 1.
 */
export interface Conflict {
  readonly path: string;
  readonly first: number;
  readonly second: number;
}

/** The conflicts of entries with the first one of their path: their number, and the first of them. */
export interface Conflicts {
  readonly count: number;
  readonly shown: readonly Conflict[];
}

export interface PublishOptions {
  /** Paths that are no longer among the entries stay for its seconds. */
  readonly grace?: Grace;
  /** What is kept of the revisions before. Default: only those with a label. */
  readonly keeping?: Keeping;
  /**
   * Called with all stored repositories at that moment, before anything is published. If it throws, the
   * catalog stays as it is.
   */
  readonly permit?: (stored: readonly StoredRepository[]) => void;
  /**
   * What to store of the repository, given what is stored of it at that moment. It counts from the
   * same moment as the entries. If it throws, the catalog stays as it is.
   */
  readonly repository?: (published: Published, stored: StoredRepository | undefined) => StoredRepository;
}

/**
 * Entries on their way into the catalog, until they are published: no reader sees a part of them, and
 * a process that dies leaves none behind. Repeated entries count once.
 */
export interface Staging {
  write(entries: readonly NewEntry[]): Answer<void>;
  /** Call it once, after the last `write`. */
  conflicts(): Answer<Conflicts>;
  /**
   * Discards the entries outside a prefix whose path has an entry of another importer or prefix.
   * Returns the paths.
   */
  yieldOutside(importerId: string, prefix: string): Answer<string[]>;
  /**
   * Publishes the entries as the next revision of an importer below a prefix, in place of its
   * earlier revisions. Ends the staging.
   */
  publishRevision(importerId: string, prefix: string, options?: PublishOptions): Answer<Published>;
  /**
   * Publishes the entries with their own revisions, in place of entries with the same path,
   * importer and revision. Ends the staging.
   */
  publishAsIs(): Answer<number>;
  /** Discards the entries. Ends the staging; harmless after its end. */
  discard(): Answer<void>;
}
