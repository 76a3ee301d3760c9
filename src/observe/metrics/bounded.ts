/** The label of all values beyond the limit. */
const OTHER = 'other';

/**
 * Values of a label, at most a number of them: the first ones that come, and `other` for the rest.
 * So neither a client nor a feed can make a metric grow.
 */
export const boundedLabel = (most: number): ((value: string) => string) => {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= most) return OTHER;
    known.add(value);
    return value;
  };
};

/** Sources, by name, that have labels of their own. */
export const SOURCES = 50;
/** Repositories, by prefix, that do. */
export const REPOSITORIES = 200;

/** The values of equal keys, combined. */
export const grouped = <T, V>(
  items: Iterable<T>,
  keyOf: (item: T) => string,
  weigh: (item: T) => V,
  combine: (a: V, b: V) => V,
): ReadonlyMap<string, V> => {
  const groups = new Map<string, V>();
  for (const item of items) {
    const key = keyOf(item);
    const value = weigh(item);
    const before = groups.get(key);
    groups.set(key, before === undefined ? value : combine(before, value));
  }
  return groups;
};

export const sum = (a: number, b: number): number => a + b;
