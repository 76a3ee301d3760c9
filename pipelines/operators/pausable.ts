import { Observable } from 'rxjs';
import type { Valve } from './flow.ts';
import { type Lending, OWNED } from './lending.ts';

/** How `pausable` controls a producer. All three methods must be quick and must not throw. */
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
 * Makes an Observable of a producer that can be paused. This adds back-pressure to RxJS, without a
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
export const pausable = <T>(
  valve: Valve,
  produce: (sink: Sink<T>) => Producer,
  lending: Lending<T> = OWNED,
): Observable<T> =>
  new Observable<T>((subscriber) => {
    const held: T[] = [];
    let open = true;
    let ended: (() => void) | undefined;
    let delivering = false;
    let flow: Producer | undefined;

    /** Delivers held values while the valve is open. The consumer may move it, or leave. */
    const deliver = () => {
      if (delivering) return;
      delivering = true;
      while (open && held.length > 0 && !subscriber.closed) {
        const value = held.shift() as T;
        subscriber.next(value);
        lending.release(value);
      }
      delivering = false;
      if (held.length === 0) ended?.();
    };

    const end = (deliverEnd: () => void) => {
      if (ended) return;
      ended = deliverEnd;
      sink.closed = true;
      if (!delivering) deliver();
    };

    // A field: an accessor would cost more than everything else here, since V8 makes a hidden class
    // for each literal with one.
    const sink: { closed: boolean } & Sink<T> = {
      closed: false,
      next: (value) => {
        if (ended) return;
        if (open && held.length === 0 && !delivering) {
          // What the consumer causes meanwhile, such as the end, comes after this value.
          delivering = true;
          subscriber.next(value);
          delivering = false;
          if (held.length > 0 || ended) deliver();
        } else {
          lending.retain(value);
          held.push(value);
          deliver();
        }
      },
      ahead: (value) => {
        if (!ended) subscriber.next(value);
      },
      error: (error) => end(() => subscriber.error(error)),
      complete: () => end(() => subscriber.complete()),
    };

    subscriber.add(() => {
      for (const value of held.splice(0)) lending.release(value);
      if (ended) return;
      ended = left;
      sink.closed = true;
      flow?.close();
    });

    subscriber.add(
      valve.subscribe({
        next: (state) => {
          if (state === open) return;
          open = state;
          if (!open) {
            flow?.pause();
            return;
          }
          deliver();
          if (open && !ended) flow?.resume();
        },
        error: (error) => subscriber.error(error),
      }),
    );
    if (subscriber.closed) return;

    flow = produce(sink);
    // The consumer may have left, or the valve closed, while the producer pushed synchronously.
    if (ended === left) flow.close();
    else if (!open && !ended) flow.pause();
  });

/** The end of a subscription that its consumer left: nothing more is delivered. */
const left = () => {};
