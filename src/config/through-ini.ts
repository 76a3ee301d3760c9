import { parse } from 'ini';

/** A section's header, or a value of the section above it. */
export type Line = { readonly section: string } | { readonly key: string; readonly value: string };

/**
 * Lets the `ini` package build sections and values from lines. Sections of the same name are
 * merged, the last of equal keys in a section counts, and every name and value is returned
 * unchanged. Values before the first section are dropped.
 */
export const throughIni = (lines: readonly Line[]): ReadonlyMap<string, ReadonlyMap<string, string>> => {
  const read = parse(lines.map(inert).join('\n'));
  return new Map(
    Object.entries(read)
      .filter(([name]) => name.startsWith(SECTION))
      .map(([section, values]) => [
        nameIn(section),
        // `ini` returns the texts `true`, `false` and `null` as other types.
        new Map(Object.entries(values).map(([key, value]) => [nameIn(key), String(value)])),
      ]),
  );
};

const SECTION = 's';
const KEY = 'k';

const inert = (line: Line): string =>
  'section' in line ? `[${SECTION}${nameFor(line.section)}]` : `${KEY}${nameFor(line.key)}=${valueFor(line.value)}`;

/**
 * In a name, `ini` takes a dot for a subsection, brackets at the end for a list and `=` for its
 * end; it removes quotes and ignores `__proto__`. A name that is percent-encoded and starts with a
 * letter of ours has none of these.
 */
const nameFor = (name: string): string => encodeURIComponent(name.toWellFormed()).replaceAll('.', '%2E');
const nameIn = (written: string): string => decodeURIComponent(written.slice(1));

/** `ini` reads a text in double quotes as JSON, but its lines also end at U+2028 and U+2029. */
const valueFor = (value: string): string =>
  JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
