import { mergeMap, Observable } from 'rxjs';

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

/** Equals `mergeMap` to the values of an array. The result can be read at once if the source can. */
export const mappedToMany = <T, R>(source: Observable<T>, change: (value: T) => readonly R[]): Observable<R> =>
  source instanceof AtOnce
    ? new AtOnce(() => (source as AtOnce<T>).read().flatMap(change))
    : source.pipe(mergeMap(change));

/** Emits nothing and completes. */
export const NOTHING = new AtOnce<never>(() => []);
