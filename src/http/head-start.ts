import { Observable, type Subscriber } from 'rxjs';

/** What was begun before anybody takes it. */
export interface HeadStart<T> {
  /** All of it, from its beginning. To be subscribed to once; unsubscribing leaves the source. */
  readonly events: Observable<T>;
  /** Leaves the source, and forgets what it emitted. */
  leave(): void;
}

/**
 * Subscribes to a source at once, and holds what it emits until somebody subscribes.
 *
 * ```
 * source  a-b-------c--|
 * result        (ab)c--|
 * (taken after 6)
 * ```
 *
 * A source whose valve is closed emits little: its notes, its head. Of a source that errors before it is taken, which `failed` is called
 * with, the error alone is left: nobody has seen the rest, and it leads to nothing.
 */
export const headStart = <T>(source: Observable<T>, failed: (error: unknown) => void): HeadStart<T> => {
  type Tell = (out: Subscriber<T>) => void;
  let held: Tell[] = [];
  let taker: Subscriber<T> | undefined;

  const tell = (what: Tell) => {
    if (taker) what(taker);
    else held.push(what);
  };
  const subscription = source.subscribe({
    next: (value) => tell((out) => out.next(value)),
    error: (error) => {
      if (!taker) failed(error);
      held = [];
      tell((out) => out.error(error));
    },
    complete: () => tell((out) => out.complete()),
  });

  return {
    events: new Observable((out) => {
      out.add(subscription);
      for (let what = held.shift(); what; what = held.shift()) what(out);
      taker = out;
    }),
    leave: () => {
      subscription.unsubscribe();
      held = [];
    },
  };
};
