import type { IniFile } from './ini-file.ts';
import { nearest } from './nearest.ts';
import { FOREIGN, type Spelling, spellingsOf, type Table, variableOf } from './schema.ts';

/** The streamer's own sections. The others are Pulp's, whatever settings they hold: what else is in them is not ours to judge. */
const OWN: ReadonlySet<string> = new Set(['streamer', 'lazy']);

/** Warnings about keys that look like settings but are none. Sections that are not ours belong to others and are left alone. */
export const unknownKeys = (table: Table, { file, sections }: IniFile): readonly string[] => {
  const known = Object.entries(table).flatMap(([name, setting]) => spellingsOf(name, setting));
  return [...sections].flatMap(([section, values]) => {
    if (!OWN.has(section)) return misspelt(file, section, values.values().next().value?.line);
    const here = ({ section: its }: Spelling): boolean => its === section;
    const fine = new Set([...known, ...FOREIGN].filter(here).map(({ key }) => key));
    return [...values]
      .filter(([key]) => !fine.has(key))
      .map(([key, { line }]) => {
        const near = nearest(key, known, (spelling) => spelling.key);
        const hint = near && here(near) ? near.key : `${near?.key} in section [${near?.section}]`;
        return `${file}:${line}: [${section}] ${key} is not a setting; the nearest is ${hint}`;
      });
  });
};

/** Sections are case-sensitive, so that `[Streamer]` would otherwise be passed over in silence. */
const misspelt = (file: string, section: string, line: number | undefined): readonly string[] => {
  const meant = section.trim().toLowerCase();
  return line === undefined || !OWN.has(meant)
    ? []
    : [`${file}:${line}: section [${section}] is ignored; expected [${meant}]`];
};

/** Warnings about `PULP_STREAMER_…` variables that are no setting. */
export const unknownVariables = (
  table: Table,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] => {
  const known = Object.keys(table).map(variableOf);
  return Object.keys(env)
    .filter((name) => name.startsWith('PULP_STREAMER_') && !known.includes(name))
    .map((name) => `environment ${name} is not a setting; the nearest is ${nearest(name, known, (text) => text)}`);
};
