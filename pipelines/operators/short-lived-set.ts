import { ShortLivedMap } from './short-lived-map.ts';

/** A set of what is soon removed again: see `ShortLivedMap`. */
export class ShortLivedSet<T> {
  readonly #members = new ShortLivedMap<T, T>();

  get size(): number {
    return this.#members.size;
  }

  add(member: T): this {
    this.#members.set(member, member);
    return this;
  }

  delete(member: T): boolean {
    return this.#members.delete(member);
  }

  clear(): void {
    this.#members.clear();
  }

  [Symbol.iterator](): MapIterator<T> {
    return this.#members.values();
  }
}
