/**
 * How far a copy is that is kept of some content. Its values change until it has an `end`: read them
 * when they are needed. Nobody is told of a change, so that it costs a chunk nothing.
 */
export interface CopyProgress {
  /** Bytes that the transfer has given to it. */
  readonly taken: number;
  /** Those of them that wait for nothing but the disk or the store. Default: all. */
  readonly queued?: number;
  /** Bytes that the disk or the store has. */
  readonly written: number;
  /** When the content was whole and right, in milliseconds since 1970; absent before. */
  readonly whole?: number;
  /** What became of it; absent while it is being made. */
  readonly end?: CopyEnd;
}

/** What became of a copy. */
export interface CopyEnd {
  /** Milliseconds since 1970. */
  readonly at: number;
  /**
   * `kept`: it is in its place. `there`: a right copy was there already. `given-up`: it could not be
   * made. `too-large`: it exceeds the limit of all copies. `dropped`: its content was not whole, or not
   * right.
   */
  readonly how: 'kept' | 'there' | 'given-up' | 'too-large' | 'dropped';
  /** Why it was given up. */
  readonly reason?: string;
}
