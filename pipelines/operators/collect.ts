import type { Observable, Subscriber } from 'rxjs';
import { AtOnce } from './at-once.ts';
import { subscriberOf } from './subscriber.ts';

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
 * `concat` and `toArray`, but costs one subscription for each source, and none for one that can be
 * read at once. `out` owns them: once it is closed, no further source is asked. An exception of any
 * function is an error of `out`.
 */
export const collect = <T>(
  sources: readonly (() => Observable<T>)[],
  out: Subscriber<unknown>,
  how: Collecting<T>,
): void => new Collector(sources, out, how).run();

class Collector<T> {
  readonly #sources: readonly (() => Observable<T>)[];
  readonly #out: Subscriber<unknown>;
  readonly #how: Collecting<T>;
  readonly #values: T[] = [];
  #at = 0;
  #waiting = false;
  #running = false;

  constructor(sources: readonly (() => Observable<T>)[], out: Subscriber<unknown>, how: Collecting<T>) {
    this.#sources = sources;
    this.#out = out;
    this.#how = how;
  }

  /** A loop, so that sources that answer at once do not nest. */
  run(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (!this.#waiting && !this.#out.closed) {
        const source = this.#sources[this.#at];
        if (!source || this.#how.enough?.(this.#values)) {
          this.#waiting = true;
          this.#how.done(this.#values);
        } else this.#ask(source(), this.#at++);
      }
    } catch (error) {
      this.#out.error(error);
    }
    this.#running = false;
  }

  #ask(source: Observable<T>, index: number): void {
    if (source instanceof AtOnce) {
      this.#read(source, index);
      return;
    }
    this.#waiting = true;
    const one = subscriberOf<T>({
      next: (value) => this.#take(value, index),
      error: (error: unknown) => {
        try {
          this.#instead(error, index);
          this.#ended(one);
        } catch (thrown) {
          this.#out.error(thrown);
        }
      },
      complete: () => this.#ended(one),
    });
    this.#out.add(one);
    source.subscribe(one);
  }

  #read(source: AtOnce<T>, index: number): void {
    let found: readonly T[] = [];
    try {
      found = source.read();
    } catch (error) {
      this.#instead(error, index);
    }
    for (const value of found) this.#take(value, index);
  }

  #take(value: T, index: number): void {
    const { as } = this.#how;
    this.#values.push(as ? as(value, index) : value);
  }

  #instead(error: unknown, index: number): void {
    if (!this.#how.instead) throw error;
    this.#take(this.#how.instead(error, index), index);
  }

  #ended(source: Subscriber<T>): void {
    source.unsubscribe();
    this.#waiting = false;
    this.run();
  }
}
