import { map, Observable } from 'rxjs';

/**
 * An Observable whose values are there as soon as it is subscribed to: it emits all of them and
 * completes. An exception of `read` is its error. `collect` reads it without a subscription.
 */
export class AtOnce<T> extends Observable<T> {
  /** Reads the values, anew at each call, as each subscription does. */
  readonly read: () => readonly T[];

  constructor(read: () => readonly T[]) {
    super((out) => {
      for (const value of read()) out.next(value);
      out.complete();
    });
    this.read = read;
  }
}

/** Equals `map`. The result can be read at once if the source can. */
export const mapped = <T, R>(source: Observable<T>, change: (value: T) => R): Observable<R> =>
  source instanceof AtOnce ? new AtOnce(() => (source as AtOnce<T>).read().map(change)) : source.pipe(map(change));

/** Emits nothing and completes. */
export const NOTHING = new AtOnce<never>(() => []);
