import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What stands in a file of `examples/` for a normal installation, and what stands for it in a test: ports and absolute paths, nothing else. */
export type Places = Readonly<Record<string, string | number>>;

/**
 * A configuration as it is shipped in `examples/`, on a test's own ports and folders. That is all that may differ from what a newcomer
 * copies, so a place that is neither a port nor a path, or that the file does not name, is a mistake in the test.
 */
export const shipped = (file: string, places: Places): string => {
  const text = readFileSync(fileURLToPath(new URL(`../../examples/${file}`, import.meta.url)), 'utf8');
  for (const place of Object.keys(places)) {
    if (!/^(\d+|\/.+)$/.test(place)) throw new Error(`${place}: expected a port or an absolute path`);
    if (!named(place).test(text)) throw new Error(`examples/${file} does not name ${place}`);
  }
  // An empty expression would be found everywhere.
  if (Object.keys(places).length === 0) return text;
  return text.replace(new RegExp(Object.keys(places).map(word).join('|'), 'g'), (place) => String(places[place]));
};

/** Not in the middle of a longer number, word or path; a path may go on below. */
const word = (place: string): string =>
  place.startsWith('/') ? `(?<![\\w/.-])${place.replaceAll('.', '\\.')}(?![\\w-])` : `(?<![\\w.])${place}(?![\\w.])`;

const named = (place: string): RegExp => new RegExp(word(place));
