import { pullFlow } from './pull.ts';
import type { Flow } from './valve.ts';

/** What is used of a `ReadableStream` of the web. */
export interface WebStreamLike<T> {
  getReader(): {
    read(): PromiseLike<{ readonly done?: boolean; readonly value?: T }>;
    cancel(): PromiseLike<unknown>;
  };
}

/**
 * Makes a flow of a `ReadableStream` of the web: the body of `fetch`, a file of the browser. `make`
 * opens one for each subscription.
 *
 * Emits its chunks while the valve is open, one read at a time; one may be on its way when the valve
 * closes. Completes and errors with the stream. Unsubscribing cancels it at once, also while paused.
 */
export const fromWebStream = <T>(make: () => WebStreamLike<T>): Flow<T> =>
  pullFlow(() => {
    const reader = make().getReader();
    return { pull: () => reader.read(), leave: () => reader.cancel() };
  });
