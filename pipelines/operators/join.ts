import type { Basins } from './basin.ts';
import type { Flow } from './valve.ts';

/** What is kept of shared sources. */
export interface Bounds<T> {
  /** The weight of a value, such as its bytes. A value of weight 0 passes a closed valve. */
  readonly size: (value: T) => number;
  /**
   * The maximum weight kept for late consumers, of values that all present consumers have taken.
   */
  readonly lateJoinWindow: number;
  /** The maximum weight kept of one source, for slow consumers. */
  readonly window: number;
  /** The maximum weight kept of all sources together. */
  readonly memory: number;
  /** Where values wait for consumers that lag. Default: in the window only. */
  readonly basins?: Basins<T>;
}

/** One consumer, and the source that it may share. */
export interface Join<T> {
  /** Identifies the source: joins with the same key share one. */
  readonly key: string;
  /** The key of other sources that will do, if one runs. */
  readonly orKey?: string;
  /**
   * Whether values stay in a basin for those that come later, if there is room, and the source waits
   * for them. Default: as the source says (`About.stays`).
   */
  readonly stays?: boolean;
  /** The weight of all values, if it is known before the first one. */
  readonly expected?: number;
  /**
   * The source; called for its first consumer only. Its valve is open while any consumer's valve is,
   * or a basin takes the values. `mayFallBehind` is true while a consumer may have to continue with
   * its fallback.
   */
  readonly source: (mayFallBehind: () => boolean) => Flow<T>;
  /** Replaces the source for a consumer that has fallen behind. */
  readonly fallback: Flow<T>;
  /** Emitted first to a consumer that joins a running source. */
  readonly onJoin: T;
}
