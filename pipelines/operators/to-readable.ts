import type { Subscription } from 'rxjs';
import { asError } from './as-error.ts';
import { type Flow, Gate } from './valve.ts';

/** What is used of a `Readable` of Node by its maker. */
interface Pushable {
  push(value: unknown): boolean;
  destroy(error?: Error): unknown;
}

interface ReadableOptions {
  readonly objectMode?: boolean;
  readonly highWaterMark?: number;
}

type ReadableClass<R extends Pushable> = new (
  options: ReadableOptions & {
    read(): void;
    destroy(error: Error | null, done: (error?: Error | null) => void): void;
  },
) => R;

/**
 * Makes a `Readable` of Node from a flow: `toReadable(source, Readable)`. The class is a parameter,
 * since these operators also run where there is no Node. `objectMode` is needed for values other
 * than bytes and text.
 *
 * Subscribes with the first read. The valve is closed while `highWaterMark` is reached. The stream
 * ends when the flow completes, and is destroyed with its error. Destroying it unsubscribes at once.
 */
export const toReadable = <T, R extends Pushable>(
  source: Flow<T>,
  Readable: ReadableClass<R>,
  options: ReadableOptions = {},
): R => {
  const valve = new Gate(true);
  let subscription: Subscription | undefined;
  const readable = new Readable({
    ...options,
    read: () => {
      valve.next(true);
      subscription ??= source(valve).subscribe({
        next: (value) => {
          if (!readable.push(value)) valve.next(false);
        },
        error: (error: unknown) => readable.destroy(asError(error)),
        complete: () => readable.push(null),
      });
    },
    destroy: (error, done) => {
      subscription?.unsubscribe();
      done(error);
    },
  });
  return readable;
};
