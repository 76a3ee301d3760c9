/** Deeper containers are shown as `[...]` and `{...}`, as Celery's clients do for logs. */
const LEVELS = 3;
/** Characters; longer texts are cut. */
const LONGEST = 1024;

/**
 * A JSON value in Python's notation, as a Celery client writes it to `argsrepr` and `kwargsrepr`.
 * Deep or long values are cut. Unlike Celery, it escapes control characters, as Python does: workers
 * and monitors print the text, and its names come from repositories.
 */
export const pythonRepr = (value: unknown): string => {
  const text = show(value, 0);
  if (text.length <= LONGEST) return text;
  const characters = [...text];
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST).join('')}, ...` : text;
};

/** Control and format characters (line ends, text direction), separators, unpaired surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const escaped = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  if (code > 0xffff) return `\\U${code.toString(16).padStart(8, '0')}`;
  return code > 0xff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\x${code.toString(16).padStart(2, '0')}`;
};

const show = (value: unknown, level: number): string => {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return `'${value.replaceAll("'", "\\'").replace(UNPRINTABLE, escaped)}'`;
  if (Array.isArray(value))
    return level < LEVELS ? `[${value.map((item) => show(item, level + 1)).join(', ')}]` : '[...]';
  if (typeof value !== 'object') return String(value);
  if (level >= LEVELS) return '{...}';
  const pairs = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${pairs.map(([key, item]) => `${show(key, level)}: ${show(item, level + 1)}`).join(', ')}}`;
};
