import { Observable, type Subscriber } from 'rxjs';
import { type Lending, OWNED } from './lending.ts';
import { type Flow, followValve, type Valve } from './valve.ts';

/** How `createFlow` controls a producer. All three methods must be quick and must not throw. */
export interface Producer {
  /** Stop reading. Values already on their way may still be pushed; they are held. */
  pause(): void;
  resume(): void;
  /**
   * Free everything now, even if paused or stalled: the subscriber left before the end. Called at
   * most once, never after the end.
   */
  close(): void;
}

/** Receives a producer's values. Calls after `error`, `complete` or `close` are ignored. */
export interface Sink<T> {
  /**
   * True after the end. A producer that pushes before `produce` returns must check it, since
   * `close` cannot be called yet.
   */
  readonly closed: boolean;
  /**
   * Delivered at once while the valve is open, otherwise held until it opens. In order, lossless.
   */
  next(value: T): void;
  /** Delivered at once, even if the valve is closed: for values such as a response head. */
  ahead(value: T): void;
  /** Delivered after all held values, as is `complete`. */
  error(error: unknown): void;
  complete(): void;
}

/**
 * Makes a flow of a producer that can be paused. This adds back-pressure to RxJS, without a
 * promise or a copy per value.
 *
 * ```
 * producer  a-b-c-d------e-|
 * valve     o--x----o-------
 * result    a-b-----(cd)-e-|
 * (c and d were on their way when the valve closed; o open, x closed)
 * ```
 *
 * Emits the producer's values synchronously while the valve is open. While it is closed, the
 * producer is paused, and only values pushed by `ahead` are emitted. At most the values that the
 * producer pushes after `pause()` are held. Completes and errors with the producer, after all held
 * values. Unsubscribing closes the producer at once. The valve counts as open until it emits
 * `false`. Its completion keeps its last state, and its error is the result's. Held values are
 * retained by `lending`.
 */
export const createFlow = <T>(produce: (sink: Sink<T>) => Producer, lending: Lending<T> = OWNED): Flow<T> =>
  boundedFlow(produce, lending, () => []);

/** The same, with a bound: `overflow` removes what is not to be held any longer, and returns it. */
export const boundedFlow =
  <T>(
    produce: (sink: Sink<T>) => Producer,
    lending: Lending<T>,
    overflow: (held: T[], sink: Sink<T>) => readonly T[],
  ): Flow<T> =>
  (valve) =>
    new Observable<T>((out) => new Pausing(out, lending, overflow).begin(valve, produce));

class Pausing<T> implements Sink<T> {
  readonly #out: Subscriber<T>;
  readonly #lending: Lending<T>;
  readonly #overflow: (held: T[], sink: Sink<T>) => readonly T[];
  /** Values that wait for the valve. */
  #held: T[] | undefined;
  #open = true;
  /** Delivers the end; nothing if the consumer left. */
  #ended: (() => void) | undefined;
  #delivering = false;
  #producer: Producer | undefined;

  constructor(out: Subscriber<T>, lending: Lending<T>, overflow: (held: T[], sink: Sink<T>) => readonly T[]) {
    this.#out = out;
    this.#lending = lending;
    this.#overflow = overflow;
  }

  begin(valve: Valve, produce: (sink: Sink<T>) => Producer): void {
    this.#out.add(this);
    followValve(valve, this.#out, (open) => this.#move(open));
    if (this.#out.closed) return;
    const producer = produce(this);
    this.#producer = producer;
    // The consumer may have left, or the valve closed, while the producer pushed synchronously.
    if (this.#ended === left) producer.close();
    else if (!this.#open && !this.#ended) producer.pause();
  }

  get closed(): boolean {
    return this.#ended !== undefined;
  }

  // Producers may pass these on as functions.
  readonly next = (value: T): void => {
    if (this.#ended) return;
    if (this.#open && !this.#held && !this.#delivering) {
      // What the consumer causes meanwhile, such as the end, comes after this value.
      this.#delivering = true;
      this.#out.next(value);
      this.#delivering = false;
      if (this.#held || this.#ended) this.#deliver();
    } else {
      this.#lending.retain(value);
      this.#held ??= [];
      this.#held.push(value);
      for (const dropped of this.#overflow(this.#held, this)) this.#lending.release(dropped);
      if (this.#held.length === 0) this.#held = undefined;
      this.#deliver();
    }
  };

  readonly ahead = (value: T): void => {
    if (!this.#ended) this.#out.next(value);
  };

  readonly error = (error: unknown): void => {
    this.#end(() => this.#out.error(error));
  };

  readonly complete = (): void => {
    this.#end(() => this.#out.complete());
  };

  /** The teardown of the result. */
  unsubscribe(): void {
    for (const value of this.#held?.splice(0) ?? []) this.#lending.release(value);
    if (this.#ended) return;
    this.#ended = left;
    this.#producer?.close();
  }

  #move(open: boolean): void {
    if (open === this.#open) return;
    this.#open = open;
    if (!open) {
      this.#producer?.pause();
      return;
    }
    this.#deliver();
    if (this.#open && !this.#ended) this.#producer?.resume();
  }

  #end(deliver: () => void): void {
    if (this.#ended) return;
    this.#ended = deliver;
    if (!this.#delivering) this.#deliver();
  }

  /** Delivers held values while the valve is open. The consumer may move it, or leave. */
  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    while (this.#open && this.#held && !this.#out.closed) {
      const value = this.#held.shift() as T;
      if (this.#held.length === 0) this.#held = undefined;
      this.#out.next(value);
      this.#lending.release(value);
    }
    this.#delivering = false;
    if (!this.#held) this.#ended?.();
  }
}

/** The end of a subscription that its consumer left: nothing more is delivered. */
const left = () => {};
