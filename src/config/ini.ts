import { DESCRIPTOR, type Dialect, PLAIN } from './dialects.ts';
import type { IniFile } from './ini-file.ts';
import { type IniLine, readLines } from './ini-lines.ts';
import { throughIni } from './through-ini.ts';

/**
 * Reads an INI file. Its lines are separated, translated for the `ini` package, and parsed by it. A
 * table of lines gives each value its line number.
 *
 * @param file names the text in problems
 */
export const parseIni = (content: string, file: string, dialect: Dialect = PLAIN): IniFile => {
  const { lines, problems, warnings } = readLines(content, file);
  const read = throughIni(
    lines.map((line) => ('key' in line ? { key: line.key, value: dialect.textOf(line.first, line.more) } : line)),
  );
  const lineOf = lineTable(lines);
  const sections = new Map(
    [...read].map(([section, values]) => [
      section,
      new Map([...values].map(([key, raw]) => [key, { value: raw, raw, line: lineOf(section, key) }])),
    ]),
  );
  const sectionLines = new Map<string, number>();
  for (const { section, line } of lines) if (!sectionLines.has(section)) sectionLines.set(section, line);
  return { file, problems, warnings, sections: dialect.settle(sections), sectionLines };
};

/** Of several equal keys, the last one's line: that of the value which counts. */
const lineTable = (lines: readonly IniLine[]): ((section: string, key: string) => number) => {
  const table = new Map(
    lines.flatMap((line) => ('key' in line ? [[JSON.stringify([line.section, line.key]), line.line]] : [])),
  );
  return (section, key) => table.get(JSON.stringify([section, key])) ?? 0;
};

/** Reads a descriptor of an alternate content source, in its dialect. */
export const parseDescriptor = (content: string, file: string): IniFile => parseIni(content, file, DESCRIPTOR);
