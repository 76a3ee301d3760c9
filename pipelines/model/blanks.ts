/**
 * A part of a text without the spaces and tabs around it, the only blanks that HTTP knows (RFC 9110
 * section 5.6.3). `trim` would also take a byte 0xA0, which may be the last of a character in UTF-8.
 * A regular expression would need a time that grows with the square of the blanks within.
 */
export const trimBlanks = (text: string, from = 0, to = text.length): string => {
  let [first, end] = [from, to];
  while (isBlank(text.charCodeAt(first))) first += 1;
  while (isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(first, end);
};

const isBlank = (code: number): boolean => code === 32 || code === 9;

/** The members of a list. Empty ones are ignored (RFC 9110 section 5.6.1). */
export const membersOf = (list: string): readonly string[] =>
  list
    .split(',')
    .map((member) => trimBlanks(member))
    .filter((member) => member !== '');
