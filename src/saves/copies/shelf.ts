import type { Observable } from 'rxjs';
import type { Checksum } from '../../../pipelines/model/index.ts';
import type { Pace } from './read-whole.ts';

/** A copy as it is stored. The daemon may remove or replace it at any time. */
export interface StoredCopy {
  readonly key: string;
  /** Below the folder, or the prefix of the bucket. */
  readonly file: string;
  /** What the shelf knows it by. */
  readonly path: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly madeAt: number;
  readonly usedAt: number;
  /** Another one for any other content under its name. */
  readonly version: string;
}

/** `gone`: it was removed in between. `unknown`: no checksum of it is known. */
export type Examined = 'right' | 'gone' | 'unknown' | { readonly fault: string };

/** Where copies are kept: a folder, or a bucket. Who lists, verifies and removes them needs no more. */
export interface Shelf {
  /**
   * The copies, one at a time; none if there is no shelf yet. What killed processes have left is removed
   * on the way, if `tidying`. `start`, from 0 to 1, is the place in their order to begin at.
   */
  copies(how?: { readonly start?: number; readonly tidying?: boolean }): AsyncIterable<StoredCopy>;
  /** A copy as it is now. */
  look(path: string): Promise<StoredCopy | undefined>;
  /** Removes a copy, unless another one has replaced it since. Returns whether it did. */
  remove(copy: StoredCopy): Promise<boolean>;
  /** Records when a copy was used last. The copy itself stays untouched. */
  use(copy: Pick<StoredCopy, 'key' | 'path'>, at: number): Promise<void>;
  /** Milliseconds for which a use may be in memory only. A restart forgets that much of the order. */
  readonly unwritten: number;
  keyAt(path: string): string;
  /**
   * Reads a copy and compares it with its checksum: `known`, or the one that is stored with it. A right
   * one has the sums of its blocks afterwards. Emits once and completes. Unsubscribing stops reading.
   */
  examine(copy: StoredCopy, known?: Checksum, pace?: Pace): Observable<Examined>;
  close(): void;
}
