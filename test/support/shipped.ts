import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Replacements in a file of `examples/`: ports and absolute paths only. */
export type Places = Readonly<Record<string, string | number>>;

/**
 * A shipped configuration of `examples/`, on a test's ports and folders. A newcomer copies the file
 * as it is, so no other difference is allowed. A replacement that is neither a port nor a path, or
 * is not in the file, is a mistake in the test.
 */
export const shipped = (file: string, places: Places): string => {
  const text = readFileSync(fileURLToPath(new URL(`../../examples/${file}`, import.meta.url)), 'utf8');
  for (const place of Object.keys(places)) {
    if (!/^(\d+|\/.+)$/.test(place)) throw new Error(`${place}: expected a port or an absolute path`);
    if (!named(place).test(text)) throw new Error(`examples/${file} does not name ${place}`);
  }
  return placed(text, places);
};

/** Any configuration on a test's own ports and folders. */
export const placed = (text: string, places: Places): string => {
  // An empty expression would match everywhere.
  if (Object.keys(places).length === 0) return text;
  return text.replace(new RegExp(Object.keys(places).map(word).join('|'), 'g'), (place) => String(places[place]));
};

/** Not in the middle of a longer number, word or path; a path may continue below. */
const word = (place: string): string =>
  place.startsWith('/') ? `(?<![\\w/.-])${place.replaceAll('.', '\\.')}(?![\\w-])` : `(?<![\\w.])${place}(?![\\w.])`;

const named = (place: string): RegExp => new RegExp(word(place));
