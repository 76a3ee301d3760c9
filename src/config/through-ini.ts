import { parse } from 'ini';

/** A section's header, or a value of the section above it. */
export type Line = { readonly section: string } | { readonly key: string; readonly value: string };

/**
 * Lets the `ini` package make sections and values of lines: sections of one name become one, of equal keys in a section the last counts, and
 * every name and value comes back to the letter. Values before the first section are dropped.
 */
export const throughIni = (lines: readonly Line[]): ReadonlyMap<string, ReadonlyMap<string, string>> => {
  const read = parse(lines.map(inert).join('\n'));
  return new Map(
    Object.entries(read)
      .filter(([name]) => name.startsWith(SECTION))
      .map(([section, values]) => [
        nameIn(section),
        // A text `true`, `false` or `null` comes back as another type.
        new Map(Object.entries(values).map(([key, value]) => [nameIn(key), String(value)])),
      ]),
  );
};

const SECTION = 's';
const KEY = 'k';

const inert = (line: Line): string =>
  'section' in line ? `[${SECTION}${nameFor(line.section)}]` : `${KEY}${nameFor(line.key)}=${valueFor(line.value)}`;

/**
 * For `ini` a dot in a name makes a subsection, brackets at its end a list, `=` ends it, quotes are taken off, and `__proto__` is passed over.
 * Percent-encoded, behind a letter of its own, no name means any of that.
 */
const nameFor = (name: string): string => encodeURIComponent(name.toWellFormed()).replaceAll('.', '%2E');
const nameIn = (written: string): string => decodeURIComponent(written.slice(1));

/** `ini` reads a text in double quotes as JSON, if it finds its end: for it, a line ends at U+2028 and U+2029, too. */
const valueFor = (value: string): string =>
  JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
