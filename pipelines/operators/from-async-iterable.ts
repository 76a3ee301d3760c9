import { pullFlow } from './pull.ts';
import type { Flow } from './valve.ts';

/**
 * Makes a flow of an async iterable: a generator, the cursor of a database. `make` is called for
 * each subscription. Its signal is aborted when the consumer leaves: a generator that waits does not
 * notice otherwise.
 *
 * Emits the values while the valve is open, one at a time; one may be on its way when the valve
 * closes. Completes and errors with the iterable. Unsubscribing calls its `return()` at once.
 */
export const fromAsyncIterable = <T>(make: (signal: AbortSignal) => AsyncIterable<T>): Flow<T> =>
  pullFlow(() => {
    const left = new AbortController();
    const iterator = make(left.signal)[Symbol.asyncIterator]();
    return {
      pull: () => iterator.next(),
      leave: () => {
        left.abort();
        return iterator.return?.();
      },
    };
  });
