import { BehaviorSubject, type Subscription } from 'rxjs';
import type { SourceEvent } from '../../pipelines/model/index.ts';
import type { Flow } from '../../pipelines/operators/valve.ts';
import { owned } from '../lib/owned.ts';

/** Bytes held for a reader before the source is paused. */
const HELD = 1024 * 1024;

type Result = IteratorResult<Uint8Array, undefined>;

/**
 * A source's body as an async iterable, for `for await` and `Readable.from`. Subscribes with the
 * first pull. The valve is closed while more than 1 MiB waits to be pulled. Throws the source's
 * error after the bytes that came before it. Leaving (`break`, `return()`) unsubscribes at once,
 * even while a pull waits for a silent source. That pull is then done.
 */
export const readBytes = (events: Flow<SourceEvent>): AsyncIterable<Uint8Array, undefined> => ({
  [Symbol.asyncIterator]: () => {
    const valve = new BehaviorSubject(true);
    const held: Uint8Array[] = [];
    const pulls: PromiseWithResolvers<Result>[] = [];
    let heldBytes = 0;
    let subscription: Subscription | undefined;
    /** Answers pulls once no bytes are held. */
    let end: ((pull: PromiseWithResolvers<Result>) => void) | undefined;

    const answer = () => {
      while (pulls.length > 0 && (held.length > 0 || end)) {
        const pull = pulls.shift();
        const bytes = held.shift();
        heldBytes -= bytes?.length ?? 0;
        if (bytes) pull?.resolve({ done: false, value: bytes });
        else if (pull) end?.(pull);
      }
      valve.next(heldBytes <= HELD);
    };

    const endWith = (settle: typeof end) => {
      end ??= settle;
      answer();
    };

    const start = () =>
      events(valve)
        .pipe(owned())
        .subscribe({
          next: (event) => {
            if (event.type !== 'chunk') return;
            held.push(event.bytes);
            heldBytes += event.bytes.length;
            answer();
          },
          // An error is thrown once; after it the iterator is done.
          error: (error) =>
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

const done = (pull: PromiseWithResolvers<Result>): void => pull.resolve({ done: true, value: undefined });
