import { type Observable, Subscriber } from 'rxjs';

interface Collecting<T> {
  /** Asked before each source: whether the values so far suffice. Default: never. */
  readonly enough?: (values: readonly T[]) => boolean;
  /** The value in place of a source's error. Default: the error is that of `out`. */
  readonly instead?: (error: unknown, source: number) => T;
  /** Changes a value of the source with this index. Default: nothing. */
  readonly as?: (value: T, source: number) => T;
  /** Called at the end, with all values in order. */
  readonly done: (values: readonly T[]) => void;
}

/**
 * Collects the values of several sources, which are subscribed to one after the other. Equals
 * `concat` and `toArray`, but costs one subscription for each source. `out` owns them: once it is
 * closed, no further source is asked. An exception of any function is an error of `out`.
 */
export const collect = <T>(
  sources: readonly (() => Observable<T>)[],
  out: Subscriber<unknown>,
  { enough = () => false, instead, as = (value) => value, done }: Collecting<T>,
): void => {
  const values: T[] = [];
  let at = 0;
  let waiting = false;
  let running = false;

  const ended = (source: Subscriber<T>) => {
    source.unsubscribe();
    waiting = false;
    run();
  };
  const ask = (source: () => Observable<T>, index: number) => {
    waiting = true;
    const one = new Subscriber<T>({
      next: (value) => values.push(as(value, index)),
      error: (error: unknown) => {
        if (!instead) return out.error(error);
        values.push(as(instead(error, index), index));
        ended(one);
      },
      complete: () => ended(one),
    });
    out.add(one);
    source().subscribe(one);
  };
  /** A loop, so that sources that answer at once do not nest. */
  const run = () => {
    if (running) return;
    running = true;
    try {
      while (!waiting && !out.closed) {
        const source = sources[at];
        if (!source || enough(values)) {
          waiting = true;
          done(values);
        } else ask(source, at++);
      }
    } catch (error) {
      out.error(error);
    }
    running = false;
  };
  run();
};
