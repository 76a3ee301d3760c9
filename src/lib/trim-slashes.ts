/**
 * A text without the slashes at its end. A regular expression would try each of those in the middle
 * up to their end: time that grows with the square of their number.
 */
export const trimSlashes = (text: string): string => {
  let end = text.length;
  while (text[end - 1] === '/') end -= 1;
  return text.slice(0, end);
};
