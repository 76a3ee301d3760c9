/** Values that are set in a map before it is made anew, if no more are in it. */
const RENEWED = 64;

/**
 * A map of what is soon removed again, such as what runs at present. Like `Map`, in the order of
 * insertion; but what is set during an iteration may be missing in it, and what is removed may not be.
 *
 * In a `Map` such values outlive their removal. V8 gives a map a new table after some changes, and
 * leaves a reference to it in the one before. Once a table is in the space for old objects, each table
 * after it is kept, with what it had, and moved there as well, until the next complete collection.
 */
export class ShortLivedMap<K, V> {
  #entries = new Map<K, V>();
  #changes = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  set(key: K, value: V): this {
    this.#changes += 1;
    if (this.#changes > RENEWED && this.#changes > this.#entries.size) this.#renew();
    this.#entries.set(key, value);
    return this;
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries = new Map();
  }

  keys(): MapIterator<K> {
    return this.#entries.keys();
  }

  values(): MapIterator<V> {
    return this.#entries.values();
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.#entries.entries();
  }

  #renew(): void {
    this.#entries = new Map(this.#entries);
    this.#changes = 0;
  }
}
