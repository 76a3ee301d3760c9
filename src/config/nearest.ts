/**
 * Edits (insert, delete, replace a character) that make one text of another: Levenshtein's
 * distance.
 */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, left] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, right] of [...b].entries()) {
      const [replaced = 0, removed = 0] = row.slice(j, j + 2);
      next.push(Math.min(replaced + (left === right ? 0 : 1), removed + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
};

/**
 * The item whose text is nearest to a wrong one, at most `most` edits away; of several, the first.
 */
export const nearest = <T>(
  wrong: string,
  items: readonly T[],
  textOf: (item: T) => string,
  most = Number.POSITIVE_INFINITY,
): T | undefined =>
  items
    .map((item) => ({ item, edits: distance(wrong, textOf(item)) }))
    .filter(({ edits }) => edits <= most)
    .reduce<{ item: T; edits: number } | undefined>(
      (best, next) => (best && best.edits <= next.edits ? best : next),
      undefined,
    )?.item;
