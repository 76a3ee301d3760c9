import { createFlow } from './create-flow.ts';
import type { Flow } from './valve.ts';

/** What is used of a `Readable` of Node. */
export interface ReadableLike {
  on(event: string, listener: (value: unknown) => void): unknown;
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
  readonly destroyed: boolean;
  readonly readableEnded: boolean;
  /** The error that it was destroyed with. */
  readonly errored: Error | null;
}

/**
 * Makes a flow of a `Readable` of Node: a file, a socket, a response. `make` opens one for each
 * subscription.
 *
 * Emits its chunks while the valve is open. While it is closed the stream is paused, so it reads no
 * more than its `highWaterMark`. Completes at its end, and errors with it, or with an `Error` if it is
 * closed before its end. Unsubscribing destroys it at once, also while paused.
 */
export const fromReadable = <T = Uint8Array>(make: () => ReadableLike): Flow<T> =>
  createFlow((sink) => {
    const readable = make();
    // These listeners stay after the end: an error without one would end the process.
    readable.on('data', (value) => sink.next(value as T));
    readable.on('end', sink.complete);
    readable.on('error', sink.error);
    const closed = () => sink.error(readable.errored ?? new Error('the stream was closed before its end'));
    readable.on('close', closed);
    // One that is over already has no more events.
    if (readable.readableEnded) sink.complete();
    else if (readable.destroyed) closed();
    return {
      pause: () => readable.pause(),
      resume: () => readable.resume(),
      close: () => readable.destroy(),
    };
  });
