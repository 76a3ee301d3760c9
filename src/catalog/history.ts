import { StreamError } from '../../pipelines/model/errors.ts';
import type { Child } from '../../pipelines/model/index.ts';
import type { Answer } from './answer.ts';
import type { StoredEntry } from './stored-entry.ts';
import type { RepositoryKey } from './stored-repository.ts';

/** One revision of a repository. */
export interface RevisionKey extends RepositoryKey {
  readonly revision: number;
}

/** A revision that clients can still ask for. */
export interface KeptRevision extends RevisionKey {
  /** Unix seconds when it was published. */
  readonly published: number;
  /** Unix seconds when the next one was. Absent for the present one. */
  readonly superseded?: number;
  readonly packages: number;
  readonly metadata: number;
}

/** A name for a revision, which stays as long as the label does. Several importers may feed one prefix. */
export interface Label extends RevisionKey {
  readonly name: string;
  /** Unix seconds when it was last moved. */
  readonly moved: number;
}

/** What to keep of revisions that are superseded. */
export interface Keeping {
  /** Unix seconds. */
  readonly now: number;
  /** Seconds for which a revision is kept after it was superseded. 0: only those with a label. */
  readonly seconds: number;
}

/** Only revisions with a label. */
export const unkept = (): Keeping => ({ now: Date.now() / 1000, seconds: 0 });

/** The earlier revisions of repositories. */
export interface StoreHistory {
  /** Whether a repository has this prefix, or had one: at once. */
  isPrefix(prefix: string): boolean;
  /** Those at a prefix, or all; the oldest first. */
  revisions(prefix?: string): Answer<KeptRevision[]>;
  /** Those at a prefix, or all; in the order of prefixes and names. */
  labels(prefix?: string): Answer<Label[]>;
  /** Lets a label name these revisions and no others, in one step. Fails if one of them is not kept. */
  label(prefix: string, name: string, revisions: readonly RevisionKey[], now: number): Answer<void>;
  /** Returns whether it existed. */
  unlabel(prefix: string, name: string): Answer<boolean>;
  /** The entry of a path as of a revision that is kept. */
  find(path: string, as: RevisionKey): Answer<StoredEntry | undefined>;
  /** What was directly below a folder, as the port Catalog emits it. */
  children(folder: string, as: readonly RevisionKey[], after: Child | undefined, limit: number): Answer<Child[]>;
  /** Removes what is to be kept no longer. */
  prune(keeping: Keeping): Answer<void>;
}

/** Why a label cannot name a revision. */
export const notKept = ({ prefix, revision }: RevisionKey): StreamError =>
  new StreamError('NOT_IN_CATALOG', 'catalog', `revision ${revision} of ${prefix || '/'} is not kept`);
