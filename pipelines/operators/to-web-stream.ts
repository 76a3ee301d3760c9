import type { Subscription } from 'rxjs';
import { type Flow, Gate } from './valve.ts';

/**
 * Makes a `ReadableStream` of the web from a flow, for a `Response` or `Readable.fromWeb`. Its
 * strategy is that of the constructor of `ReadableStream`. Default: one value.
 *
 * Subscribes with the first pull. The valve is closed while as much waits as the strategy allows.
 * The stream closes when the flow completes, and errors with it. Cancelling it unsubscribes at once.
 */
export const toWebStream = <T>(
  source: Flow<T>,
  strategy: ConstructorParameters<typeof ReadableStream<T>>[1] = {},
): ReadableStream<T> => {
  const valve = new Gate(true);
  let subscription: Subscription | undefined;
  return new ReadableStream<T>(
    {
      pull: (controller) => {
        valve.next(true);
        subscription ??= source(valve).subscribe({
          next: (value) => {
            controller.enqueue(value);
            if ((controller.desiredSize ?? 0) <= 0) valve.next(false);
          },
          error: (error: unknown) => controller.error(error),
          complete: () => controller.close(),
        });
      },
      cancel: () => subscription?.unsubscribe(),
    },
    strategy,
  );
};
