type Labels = Record<string, string>;

/**
 * Values by up to three labels. Nothing is made to find one, and the one that was found last is found at once: there
 * are millions of requests for each scrape.
 */
class Cells<T> {
  readonly #names: readonly string[];
  readonly #make: () => T;
  readonly #cells = new Map<string, Map<string, Map<string, T>>>();
  #last: { readonly first: string; readonly second: string; readonly third: string; readonly value: T } | undefined;

  constructor(names: readonly string[], make: () => T) {
    this.#names = names;
    this.#make = make;
  }

  of(first: string, second: string, third: string): T {
    const last = this.#last;
    if (last?.first === first && last.second === second && last.third === third) return last.value;
    const value = this.#find(first, second, third);
    this.#last = { first, second, third, value };
    return value;
  }

  #find(first: string, second: string, third: string): T {
    const found = this.#cells.get(first)?.get(second)?.get(third);
    if (found) return found;
    const made = this.#make();
    const seconds = this.#cells.get(first) ?? new Map<string, Map<string, T>>();
    const thirds = seconds.get(second) ?? new Map<string, T>();
    this.#cells.set(first, seconds.set(second, thirds.set(third, made)));
    return made;
  }

  *all(): Generator<readonly [Labels, T]> {
    for (const [first, seconds] of this.#cells)
      for (const [second, thirds] of seconds)
        for (const [third, value] of thirds) {
          const values = [first, second, third];
          yield [Object.fromEntries(this.#names.map((name, index) => [name, values[index] ?? ''])), value];
        }
  }
}

/** A sum for each combination of labels. */
export class Tally {
  readonly #cells: Cells<{ value: number }>;

  constructor(labels: readonly string[]) {
    this.#cells = new Cells(labels, () => ({ value: 0 }));
  }

  add(value: number, first = '', second = '', third = ''): void {
    this.#cells.of(first, second, third).value += value;
  }

  *all(): Generator<readonly [Labels, number]> {
    for (const [labels, { value }] of this.#cells.all()) yield [labels, value];
  }
}

/** How many values of each size there were, and their sum. */
export interface Sizes {
  /** By bound, and of those above the last one. */
  readonly counts: number[];
  sum: number;
}

/** The sizes of values, by up to one label. */
export class Distribution {
  readonly bounds: readonly number[];
  readonly #cells: Cells<Sizes>;

  constructor(bounds: readonly number[], labels: readonly string[]) {
    this.bounds = bounds;
    this.#cells = new Cells(labels, () => ({ counts: [...bounds, 0].fill(0), sum: 0 }));
    if (labels.length === 0) this.#cells.of('', '', '');
  }

  observe(value: number, label = ''): void {
    const { bounds } = this;
    const sizes = this.#cells.of(label, '', '');
    let index = 0;
    while (index < bounds.length && value > (bounds[index] ?? 0)) index += 1;
    sizes.counts[index] = (sizes.counts[index] ?? 0) + 1;
    sizes.sum += value;
  }

  all(): Iterable<readonly [Labels, Sizes]> {
    return this.#cells.all();
  }
}
