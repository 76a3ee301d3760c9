/** Values that wait for each other: enough for the processor's caches, few enough to be garbage while they are young. */
const SIZE = 32;

/**
 * Has work done for many values at once. Code that runs once for each request is in no cache of the processor any
 * more when its turn comes, and takes several times what it takes in a loop (docs/explanation/performance.md).
 */
export class Gathered<T> {
  readonly #work: (value: T) => void;
  #values: T[] = [];

  constructor(work: (value: T) => void) {
    this.#work = work;
  }

  /** May be passed on as a function. */
  readonly add = (value: T): void => {
    if (this.#values.push(value) === SIZE) this.flush();
  };

  /** Call it before a result of the work is read. */
  flush(): void {
    const values = this.#values;
    this.#values = [];
    for (const value of values) this.#work(value);
  }
}
