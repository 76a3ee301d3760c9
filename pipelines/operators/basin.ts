import type { Observable } from 'rxjs';
import type { Flow, Valve } from './valve.ts';

/** What a basin has. Positions are weights of the source's values, counted from its first one. */
export interface Extent {
  /** The position that it begins at. */
  readonly from: number;
  /** The position after the last value that it took. */
  readonly to: number;
}

/** A place where the values of a source wait for consumers that are slow. */
export interface Basin<T> extends Extent {
  /** Whether it takes the values that follow. Once it does not, it never does again. */
  readonly taking: boolean;
  /** `false` while more waits to be stored than should: the source had better pause. */
  readonly ready: Valve;
  /**
   * Emits what lies after a position while the valve is open, in parts of any weight, and waits for
   * what is still to come. Completes when nothing more will come. Errors if the place fails.
   */
  read(at: number): Flow<T>;
  /**
   * Completes once values that are complete can be had without the basin, too. Without it, they
   * never can.
   */
  readonly moved?: Observable<never>;
  /** Keeps the basin for reading until `release` is called as often. */
  retain(): void;
  release(): void;
}

/** A basin that its user fills. */
export interface Fillable<T> extends Basin<T> {
  /** Takes a value, or returns `false`: then it takes no more. */
  write(value: T): boolean;
  /** No more will come. */
  end(): void;
}

/** What a value says about its source. */
export interface About<T> {
  /** The weight of all values of the source, if known. */
  readonly total?: number;
  /** The source occupies something scarce until its end, so its values may wait in a basin. */
  readonly scarce: boolean;
  /** Consumers may come for parts of it, one after the other: see `Join.stays`. */
  readonly stays?: boolean;
  /** Whether a later consumer may find better values: without a consumer it then neither goes on nor waits. */
  readonly fleeting?: boolean;
  /** A basin that takes all values of the source, from the first one on. */
  readonly basin?: Basin<T>;
}

/** The basins of a kind of values. */
export interface Basins<T> {
  /** What a value says about its source, if anything. */
  about(value: T): About<T> | undefined;
  /**
   * Opens a basin for values from a position on, which weigh `rest` if that is known; undefined if
   * there is no room.
   */
  make(from: number, rest: number | undefined): Fillable<T> | undefined;
  /** The part of a value after its first `taken`. */
  rest(value: T, taken: number): T;
  /** What is emitted to a consumer whose values go to this basin from now on. Of weight 0. */
  onDivert(basin: Basin<T>): T;
  /** Milliseconds with a closed valve after which the consumer's values go to a basin. */
  readonly lag: number;
  /** The weight up to which the rest of a source is read to its end without a consumer. 0: none. */
  readonly finishBelow: number;
}
