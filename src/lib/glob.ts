/**
 * Whether a text matches a pattern as shells have it: `*` stands for any characters, `?` for one.
 * Takes no longer than the product of their lengths.
 */
export const matchesGlob = (text: string, pattern: string): boolean => {
  let [at, next] = [0, 0];
  /** Where the last star is, and how much of the text it stands for so far. */
  let star = -1;
  let taken = 0;
  while (at < text.length) {
    if (pattern[next] === '*') {
      star = next;
      taken = at;
      next += 1;
    } else if (pattern[next] === '?' || pattern[next] === text[at]) {
      at += 1;
      next += 1;
    } else if (star >= 0) {
      taken += 1;
      at = taken;
      next = star + 1;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(next));
};
