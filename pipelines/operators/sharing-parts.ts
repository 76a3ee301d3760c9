import type { Observable } from 'rxjs';
import type { Basins } from './basin.ts';
import type { Consumer } from './consumer.ts';
import type { Valve } from './flow.ts';
import type { Lending } from './lending.ts';
import type { Overdue } from './overdue.ts';
import type { Shared } from './shared.ts';

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
  /**
   * The consumer's valve. It counts as open until it emits `false`. Its error is the consumer's.
   */
  readonly valve: Valve;
  /** Values stay in a basin for those that come later, if there is room. Default: for a lag only. */
  readonly stays?: boolean;
  /** The weight of all values, if it is known before the first one. */
  readonly expected?: number;
  /**
   * Opens the source; called for its first consumer only. `valve` is open while any consumer's
   * valve is, or a basin takes the values. `mayFallBehind` is true while a consumer may have to
   * continue with its fallback.
   */
  readonly source: (valve: Valve, mayFallBehind: () => boolean) => Observable<T>;
  /** Replaces the source for a consumer that has fallen behind. */
  readonly fallback: () => Observable<T>;
  /** Emitted first to a consumer that joins a running source. */
  readonly onJoin: T;
}

/** What all shared sources have in common. */
export interface SharingParts<T> extends Bounds<T> {
  readonly lending: Lending<T>;
  readonly running: Map<string, Shared<T>>;
  /** The weight kept of all sources. */
  held: number;
  /** The consumers whose valve is closed. One that is overdue is diverted. */
  readonly lagging: Overdue<Consumer<T>>;
  /** The sources that ended without a consumer. The values of one that is overdue wait no longer. */
  readonly lingering: Overdue<Shared<T>>;
  /** The sources that are read to their end without a consumer. */
  readonly alone: Set<Shared<T>>;
  /** No further source may run or wait without a consumer. */
  closed: boolean;
}
