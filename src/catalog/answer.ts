/** A file answers at once, a database later. */
export type Answer<T> = T | Promise<T>;

/** Continues with an answer: at once if it is there, so that a file costs no request a promise. */
export const after = <T, R>(answer: Answer<T>, next: (value: T) => Answer<R>): Answer<R> =>
  answer instanceof Promise ? answer.then(next) : next(answer);

/** Values that are read while iterating, so a million take no memory. */
export type Listed<T> = Iterable<T> | AsyncIterable<T>;
