import { createFlow } from './create-flow.ts';
import type { Flow } from './valve.ts';

/** A source of which one value at a time is pulled. */
interface Puller<T> {
  pull(): PromiseLike<{ readonly done?: boolean; readonly value?: T }>;
  /** Called once if the consumer left before the end. Its rejection has no receiver, and is dropped. */
  leave(): PromiseLike<unknown> | undefined;
}

/** A flow of what is pulled while the valve is open. At most one value is on its way. */
export const pullFlow = <T>(make: () => Puller<T>): Flow<T> =>
  createFlow((sink) => {
    const puller = make();
    let paused = false;
    let pulling = false;
    const next = async () => {
      if (pulling) return;
      pulling = true;
      try {
        while (!paused && !sink.closed) {
          const { done, value } = await puller.pull();
          if (done) return sink.complete();
          sink.next(value as T);
        }
      } catch (error) {
        sink.error(error);
      } finally {
        pulling = false;
      }
    };
    // After `pause` could be called: a closed valve pulls nothing.
    queueMicrotask(next);
    return {
      pause: () => {
        paused = true;
      },
      resume: () => {
        paused = false;
        void next();
      },
      close: () => {
        puller.leave()?.then(undefined, () => {});
      },
    };
  });
