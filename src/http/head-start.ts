import { Observable, type Subscriber } from 'rxjs';
import { type Lending, OWNED } from '../../pipelines/operators/lending.ts';

/** A source that runs before its consumer subscribes. */
export interface HeadStart<T> {
  /** All events from the first one. Subscribe once; unsubscribing unsubscribes from the source. */
  readonly events: Observable<T>;
  /** Unsubscribes from the source, and drops the held events. */
  leave(): void;
}

/**
 * Subscribes to a source at once, and holds its events until a consumer subscribes.
 *
 * ```
 * source  a-b-------c--|
 * result        (ab)c--|
 * (taken after 6)
 * ```
 *
 * A source whose valve is closed emits little: its notes and its head. If the source errors before
 * the consumer subscribes, `failed` is called with the error. Then only the error is held: the
 * earlier events were never seen, and lead to nothing.
 */
export const headStart = <T>(
  source: Observable<T>,
  failed: (error: unknown) => void,
  lending: Lending<T> = OWNED,
): HeadStart<T> => {
  type Notify = (out: Subscriber<T>) => void;
  let held: Notify[] = [];
  let lent: T[] = [];
  let taker: Subscriber<T> | undefined;

  const drop = () => {
    held = [];
    for (const value of lent) lending.release(value);
    lent = [];
  };
  const emit = (notify: Notify) => {
    if (taker) notify(taker);
    else held.push(notify);
  };
  const subscription = source.subscribe({
    next: (value) => {
      if (!taker) {
        lending.retain(value);
        lent.push(value);
      }
      emit((out) => out.next(value));
    },
    error: (error) => {
      if (!taker) failed(error);
      drop();
      emit((out) => out.error(error));
    },
    complete: () => emit((out) => out.complete()),
  });

  return {
    events: new Observable((out) => {
      out.add(subscription);
      for (let what = held.shift(); what; what = held.shift()) what(out);
      taker = out;
      drop();
    }),
    leave: () => {
      subscription.unsubscribe();
      drop();
    },
  };
};
