import type { Bounds } from './join.ts';
import type { Lending } from './lending.ts';

/** What the values of all sources have in common. */
export interface KeepingParts<T> extends Pick<Bounds<T>, 'size'> {
  readonly lending: Lending<T>;
  /** The weight kept of all sources. */
  held: number;
}

interface Aside<T> {
  readonly value: T;
  readonly index: number;
  readonly position: number;
}

/**
 * The latest values of a shared source, in memory. Each has an index, and a position: the weight of
 * all values before it.
 */
export class KeptValues<T> {
  readonly #parts: KeepingParts<T>;
  readonly #values: T[] = [];
  readonly #asides: Aside<T>[] = [];
  /** Index and position of the first kept value. */
  #first = 0;
  #start = 0;
  #weight = 0;

  constructor(parts: KeepingParts<T>) {
    this.#parts = parts;
  }

  /** The index of the first kept value: so many were dropped. */
  get first(): number {
    return this.#first;
  }

  /** The index of the next value of the source. */
  get end(): number {
    return this.#first + this.#values.length;
  }

  /** The position of the first kept value. */
  get start(): number {
    return this.#start;
  }

  /** The position of the next value of the source. */
  get received(): number {
    return this.#start + this.#weight;
  }

  /** The weight of all kept values. */
  get weight(): number {
    return this.#weight;
  }

  /** The dropped values of weight 0, which no basin has. */
  get asides(): readonly Aside<T>[] {
    return this.#asides;
  }

  /** The kept value with an index. */
  at(index: number): T {
    return this.#values[index - this.#first] as T;
  }

  every(test: (value: T) => boolean): boolean {
    return this.#values.every(test);
  }

  add(value: T): void {
    this.#parts.lending.retain(value);
    this.#values.push(value);
    this.#weigh(this.#parts.size(value));
  }

  /** Drops the values before an index. */
  dropUntil(index: number): void {
    const { size, lending } = this.#parts;
    for (const value of this.#values.splice(0, index - this.#first)) {
      const weight = size(value);
      if (weight === 0) this.#asides.push({ index: this.#first, position: this.#start, value });
      this.#weigh(-weight);
      this.#start += weight;
      this.#first += 1;
      lending.release(value);
    }
  }

  /** The weight of the values from an index on. */
  weightFrom(index: number): number {
    let weight = 0;
    for (let at = index; at < this.end; at += 1) weight += this.#parts.size(this.at(at));
    return weight;
  }

  /**
   * The index of the value that a position lies in, how much of it lies before, and the values of
   * weight 0 before it whose index is `from` or more. The position is that of a kept value.
   */
  find(position: number, from: number): { at: number; taken: number; missed: readonly T[] } {
    const missed: T[] = [];
    let [at, start] = [this.#first, this.#start];
    for (const value of this.#values) {
      const weight = this.#parts.size(value);
      if (start + weight > position) break;
      if (weight === 0 && at >= from) missed.push(value);
      start += weight;
      at += 1;
    }
    return { at, taken: position - start, missed };
  }

  #weigh(change: number): void {
    this.#weight += change;
    this.#parts.held += change;
  }
}
