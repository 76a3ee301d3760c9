/** Deeper containers are shown as `[...]` and `{...}`, as Celery's clients do for logs. */
const LEVELS = 3;
/** Characters; longer texts are cut. */
const LONGEST = 1024;

/**
 * A JSON value in Python's notation, as a Celery client writes it to `argsrepr` and `kwargsrepr`.
 * Deep or long values are cut.
 */
export const pythonRepr = (value: unknown): string => {
  const text = show(value, 0);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}, ...` : text;
};

const show = (value: unknown, level: number): string => {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return `'${value.replaceAll("'", "\\'")}'`;
  if (Array.isArray(value))
    return level < LEVELS ? `[${value.map((item) => show(item, level + 1)).join(', ')}]` : '[...]';
  if (typeof value !== 'object') return String(value);
  if (level >= LEVELS) return '{...}';
  const pairs = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${pairs.map(([key, item]) => `${show(key, level)}: ${show(item, level + 1)}`).join(', ')}}`;
};
