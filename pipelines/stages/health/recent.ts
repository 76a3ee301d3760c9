/** A map of at most `limit` keys. A new one takes the place of the one that was set longest ago. */
export interface Recent<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  delete(key: K): boolean;
  values(): Iterable<V>;
}

export const createRecent = <K, V>(limit: number): Recent<K, V> => {
  const known = new Map<K, V>();
  return {
    get: (key) => known.get(key),
    set: (key, value) => {
      // Maps keep the order of insertion.
      known.delete(key);
      known.set(key, value);
      const [oldest] = known.keys();
      if (known.size > limit && oldest !== undefined) known.delete(oldest);
    },
    delete: (key) => known.delete(key),
    values: () => known.values(),
  };
};
