/** The text of another key, as it is written; `undefined` if there is no such key. */
export type TextOf = (key: string) => string | undefined;

/** Resolves the references in a value; throws a {@link BadReference} if that is not possible. */
export type Interpolate = (value: string, textOf: TextOf) => string;

/** The problem and what was expected, without quoting the value: it may be a secret. */
export class BadReference extends Error {
  override readonly name = 'BadReference';
}

/** Python follows references within references to this depth. */
const LEVELS = 10;

const REFERENCE = '"%(KEY)s" for the value of another key';
const lone = () => new BadReference(`expected "%%" for a percent sign, or ${REFERENCE}; found a "%" that is neither`);
const unknown = () =>
  new BadReference(`expected ${REFERENCE}; found a key that is neither in its section nor in [DEFAULT]`);
const endless = () =>
  new BadReference(`expected references at most ${LEVELS} deep; found more (one may refer to itself)`);

const long = () => new BadReference(`expected references to at most ${MOST} characters in all; found more`);

/** Characters that the references of one value may add. Some that refer to each other double with each level. */
const MOST = 2 ** 20;

/** Finds the texts of one value's references. */
const findingIn = (textOf: TextOf): ((key: string) => string) => {
  let left = MOST;
  return (key) => {
    const found = textOf(key.toLowerCase());
    if (found === undefined) throw unknown();
    left -= found.length;
    if (left < 0) throw long();
    return found;
  };
};

/**
 * Python's SafeConfigParser (since Python 3: ConfigParser): `%%` is `%`, `%(key)s` another key's
 * value, and no other `%` is allowed.
 */
export const safe: Interpolate = (value, textOf) => {
  const lookUp = findingIn(textOf);
  const expand = (text: string, level: number): string => {
    if (text.includes('%') && level > LEVELS) throw endless();
    return text.replace(/%(?:(%)|\(([^)]+)\)s)?/g, (_, percent?: string, key?: string) => {
      if (percent !== undefined) return percent;
      if (key === undefined) throw lone();
      return expand(lookUp(key), level + 1);
    });
  };
  return expand(value, 1);
};

/**
 * Python 2's ConfigParser: a value with a `%(` is a format as a whole, `%%` included, until no `%(`
 * is left. Any other value is left as it is, percent-encoded URLs for example.
 */
export const lenient: Interpolate = (value, textOf) => {
  const lookUp = findingIn(textOf);
  let text = value;
  for (let level = 1; level <= LEVELS && text.includes('%('); level += 1)
    text = text.replace(/%(?:(%)|\(([^()]*)\)s)?/g, (_, percent?: string, key?: string) => {
      if (percent !== undefined) return percent;
      if (key === undefined) throw lone();
      return lookUp(key);
    });
  if (text.includes('%(')) throw endless();
  return text;
};
