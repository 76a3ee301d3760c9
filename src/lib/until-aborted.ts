import { Observable } from 'rxjs';

/**
 * Unsubscribes from its source when the signal is aborted, and errors with the signal's reason.
 * Otherwise it emits, completes and errors as the source does. Without a signal it is the source.
 */
export const untilAborted = <T>(source: Observable<T>, signal: AbortSignal | undefined): Observable<T> =>
  signal === undefined
    ? source
    : new Observable((out) => {
        const abort = () => out.error(signal.reason);
        if (signal.aborted) return abort();
        signal.addEventListener('abort', abort);
        out.add(() => signal.removeEventListener('abort', abort));
        source.subscribe(out);
      });

/**
 * The same for values that are pulled, from a source that errors with the reason: values that wait
 * are dropped.
 */
export const pulledUntilAborted = <T>(source: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncIterable<T> =>
  signal === undefined
    ? source
    : {
        [Symbol.asyncIterator]: () => {
          const iterator = source[Symbol.asyncIterator]();
          return {
            next: async () => {
              const result = await iterator.next();
              if (!signal.aborted || result.done) return result;
              await iterator.return?.();
              throw signal.reason;
            },
            return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
          };
        },
      };
