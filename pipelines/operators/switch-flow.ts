import type { Subscriber } from 'rxjs';
import { operate, type Stage } from './operate.ts';
import { subscriberOf } from './subscriber.ts';
import type { Flow } from './valve.ts';

/**
 * Makes a flow of each value, and leaves the one before it at once, with what that holds.
 *
 * ```
 * source    a----b----|
 * for each  A-B-C-D|
 * result    A-B-CA-B-C-D|
 * (the same flow for each value)
 * ```
 *
 * Emits the values of the latest. It and the source have the consumer's valve. Completes once the
 * source and the latest flow have. Errors at once with either. Unsubscribing leaves both.
 */
export const switchFlow = <T, R>(project: (value: T) => Flow<R>): Stage<T, R> =>
  operate((out, valve) => {
    let latest: Subscriber<R> | undefined;
    let over = false;
    return {
      next: (value) => {
        latest?.unsubscribe();
        const one = subscriberOf<R>({
          next: (result) => out.next(result),
          error: (error: unknown) => out.error(error),
          complete: () => {
            latest = undefined;
            if (over) out.complete();
          },
        });
        latest = one;
        out.add(one);
        project(value)(valve).subscribe(one);
      },
      complete: () => {
        over = true;
        if (!latest) out.complete();
      },
    };
  });
