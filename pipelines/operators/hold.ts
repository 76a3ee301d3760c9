import type { Observable } from 'rxjs';
import { boundedFlow, type Sink } from './create-flow.ts';
import { type Lending, OWNED } from './lending.ts';
import { subscriberOf } from './subscriber.ts';
import type { Flow } from './valve.ts';

interface Hold<T> {
  /** The most values that wait while the valve is closed. 0: none. */
  readonly limit: number;
  /**
   * What happens to a value that exceeds the limit. `error`: the result errors at once with a
   * `RangeError`. `oldest`: the one that has waited longest is dropped. `newest`: it is dropped
   * itself.
   */
  readonly overflow: 'error' | 'oldest' | 'newest';
  /** Retains the values that are held. Default: values belong to their receiver. */
  readonly lending?: Lending<T>;
}

/**
 * Makes a flow of an Observable that cannot be paused, such as events or a Subject.
 *
 * ```
 * source  a-b-c-d------e-|
 * valve   o-x-----o-------
 * result  a-------(cd)-e-|
 * (limit 2, the oldest is dropped; o open, x closed)
 * ```
 *
 * Emits the source's values while the valve is open, and holds at most `limit` of them while it is
 * closed. Completes and errors with the source, after all held values. Unsubscribing leaves the
 * source and drops what is held.
 */
export const hold =
  <T>({ limit, overflow, lending = OWNED }: Hold<T>) =>
  (source: Observable<T>): Flow<T> =>
    boundedFlow(
      (sink) => {
        const subscriber = subscriberOf<T>({
          next: (value) => {
            sink.next(value);
            // The consumer may have left, or there were too many.
            if (sink.closed) subscriber.unsubscribe();
          },
          error: sink.error,
          complete: sink.complete,
        });
        source.subscribe(subscriber);
        return { pause: () => {}, resume: () => {}, close: () => subscriber.unsubscribe() };
      },
      lending,
      (held, sink) => drop(held, sink, limit, overflow),
    );

const drop = <T>(held: T[], sink: Sink<T>, limit: number, overflow: Hold<T>['overflow']): readonly T[] => {
  if (held.length <= limit) return [];
  if (overflow === 'oldest') return held.splice(0, held.length - limit);
  if (overflow === 'newest') return held.splice(limit);
  sink.error(new RangeError(`more than ${limit} values wait for a closed valve`));
  return held.splice(0);
};
