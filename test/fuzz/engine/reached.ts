import type { Called } from './coverage.ts';

/**
 * Executed code: for each function, a mark for each character that was executed. V8 reports
 * neighbours with equal counts as one block, so the blocks of two runs cannot be compared as such.
 */
export type Reached = Map<string, Uint8Array>;

export const reachedBy = (called: readonly Called[]): Reached =>
  new Map(called.map(({ key, ranges }) => [key, marksOf(ranges)]));

const marksOf = (ranges: Called['ranges']): Uint8Array => {
  const [{ startOffset: start, endOffset: end } = { startOffset: 0, endOffset: 0 }] = ranges;
  const marks = new Uint8Array(end - start);
  // Inner ranges come later, and overwrite.
  for (const { startOffset, endOffset, count } of ranges)
    marks.fill(count > 0 ? 1 : 0, startOffset - start, endOffset - start);
  return marks;
};

/** The code that `all` lacks. */
export const newIn = (some: Reached, all: Reached): Reached => {
  const rest: Reached = new Map();
  for (const [key, marks] of some) {
    const known = all.get(key);
    const left = known ? marks.map((mark, at) => mark & ~(known[at] ?? 0)) : marks;
    if (left.includes(1)) rest.set(key, left);
  }
  return rest;
};

export const addTo = (all: Reached, some: Reached): void => {
  for (const [key, marks] of some) {
    const known = all.get(key);
    all.set(key, known ? known.map((mark, at) => mark | (marks[at] ?? 0)) : marks);
  }
};

/** Executed characters of code in all. */
export const sizeOf = (reached: Reached): number =>
  [...reached.values()].reduce((sum, marks) => sum + marks.reduce((all, mark) => all + mark, 0), 0);
