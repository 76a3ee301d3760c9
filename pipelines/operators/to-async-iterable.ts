import type { Subscription } from 'rxjs';
import { type Flow, Gate } from './valve.ts';

interface Buffering<T> {
  /** The weight of the values that may wait to be pulled before the valve is closed. Default: 0. */
  readonly limit?: number;
  /** The weight of a value, such as its bytes. Default: 1. */
  readonly size?: (value: T) => number;
}

/**
 * Makes an async iterable of a flow, for `for await`. The valve is closed while more than `limit`
 * waits to be pulled; with the default, while anything does.
 *
 * Subscribes with the first pull. Throws the flow's error, once, after the values that came before
 * it. Leaving (`break`, `return()`) unsubscribes at once, also while a pull waits for a silent
 * source. That pull is then done.
 */
export const toAsyncIterable = <T>(
  source: Flow<T>,
  { limit = 0, size = () => 1 }: Buffering<T> = {},
): AsyncIterable<T, undefined> => ({
  [Symbol.asyncIterator]: () => {
    type Result = IteratorResult<T, undefined>;
    const valve = new Gate(true);
    const held: T[] = [];
    const pulls: PromiseWithResolvers<Result>[] = [];
    let weight = 0;
    let subscription: Subscription | undefined;
    /** Answers pulls once no value is held. */
    let end: ((pull: PromiseWithResolvers<Result>) => void) | undefined;

    const done = (pull: PromiseWithResolvers<Result>) => pull.resolve({ done: true, value: undefined });
    const answer = () => {
      while (pulls.length > 0 && (held.length > 0 || end)) {
        const pull = pulls.shift() as PromiseWithResolvers<Result>;
        if (held.length > 0) {
          const value = held.shift() as T;
          weight -= size(value);
          pull.resolve({ done: false, value });
        } else end?.(pull);
      }
      const wanted = weight <= limit && (limit > 0 || pulls.length > 0);
      if (wanted !== valve.value) valve.next(wanted);
    };
    const endWith = (settle: typeof end) => {
      end ??= settle;
      answer();
    };
    const start = () =>
      source(valve).subscribe({
        next: (value) => {
          held.push(value);
          weight += size(value);
          answer();
        },
        // An error is thrown once; after it the iterator is done.
        error: (error: unknown) =>
          endWith((pull) => {
            end = done;
            pull.reject(error);
          }),
        complete: () => endWith(done),
      });

    return {
      next: () => {
        const pull = Promise.withResolvers<Result>();
        pulls.push(pull);
        if (!end) subscription ??= start();
        answer();
        return pull.promise;
      },
      return: async () => {
        subscription?.unsubscribe();
        held.length = 0;
        end = done;
        answer();
        return { done: true, value: undefined };
      },
    };
  },
});
