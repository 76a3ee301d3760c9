import { Observable } from 'rxjs';
import type { Valve } from './flow.ts';

/** How `pausable` steers a producer. All three must be quick and must not throw. */
export interface Producer {
  /** Stop reading. What is already on its way may still be pushed: it is held. */
  pause(): void;
  resume(): void;
  /** The subscriber left before the end: free everything now, also while paused or stalled. Called at most once, never after the end. */
  close(): void;
}

/** Where a producer pushes. Calls after `error`, `complete` or `close` are ignored. */
export interface Sink<T> {
  /** Nothing more is wanted: for a producer that pushes in a loop, before it could be told by `close`. */
  readonly closed: boolean;
  /** Lossless and in order: delivered at once while the valve is open, else held until it opens. */
  next(value: T): void;
  /** Delivered at once whatever the valve says: for what costs the consumer no room, such as a response head. */
  ahead(value: T): void;
  /** Delivered after everything held. */
  error(error: unknown): void;
  complete(): void;
}

/**
 * Makes an Observable of a producer that can be paused: RxJS's missing back-pressure, without a promise or a copy per value.
 *
 * ```
 * producer  a-b-c-d------e-|
 * valve     o--x----o-------
 * result    a-b-----(cd)-e-|
 * (c and d were on their way when the valve closed; o open, x closed)
 * ```
 *
 * Emits what the producer pushes, synchronously, while the valve is open. While it is closed the producer is paused and
 * nothing is emitted but what comes `ahead`; at most what the producer pushes after `pause()` is held.
 * Completes and errors with the producer, once nothing is held. Unsubscribing closes the producer at once.
 * The valve counts as open until it says otherwise; its completion keeps its last state, its error is the result's.
 */
export const pausable = <T>(valve: Valve, produce: (sink: Sink<T>) => Producer): Observable<T> =>
  new Observable<T>((subscriber) => {
    const held: T[] = [];
    let open = true;
    let ended: (() => void) | undefined;
    let delivering = false;
    let flow: Producer | undefined;

    /** Delivers what is held while the valve stays open; a consumer may move the valve meanwhile, or leave. */
    const deliver = () => {
      if (delivering) return;
      delivering = true;
      while (open && held.length > 0 && !subscriber.closed) subscriber.next(held.shift() as T);
      delivering = false;
      if (held.length === 0) ended?.();
    };

    const end = (tell: () => void) => {
      if (ended) return;
      ended = tell;
      if (!delivering) deliver();
    };

    subscriber.add(() => {
      held.length = 0;
      if (ended) return;
      ended = left;
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

    flow = produce({
      get closed() {
        return ended !== undefined;
      },
      next: (value) => {
        if (ended) return;
        if (open && held.length === 0 && !delivering) subscriber.next(value);
        else {
          held.push(value);
          deliver();
        }
      },
      ahead: (value) => {
        if (!ended) subscriber.next(value);
      },
      error: (error) => end(() => subscriber.error(error)),
      complete: () => end(() => subscriber.complete()),
    });
    // The consumer may have left, or the valve closed, while the producer pushed synchronously.
    if (ended === left) flow.close();
    else if (!open && !ended) flow.pause();
  });

/** The end of a subscription that its consumer left: nothing more to tell. */
const left = () => {};
