import { dialectOf, PULP } from './dialects.ts';
import type { IniFile } from './ini-file.ts';
import { nearest } from './nearest.ts';
import { PULP_KEYS, PULP_SECTIONS, SHARED_SECTIONS } from './pulp.ts';
import { spellingsOf, type Table, variableOf } from './schema.ts';

/** The streamer's own sections. Unknown keys in the others are Pulp's. */
const OWN: readonly string[] = ['streamer', 'lazy'];

/**
 * In files with other programs' sections, a name within this many edits of one that is read is a
 * mistake.
 */
const NEAR = 2;

/** Warnings about sections and keys that look like the streamer's but are not. */
export const unknownKeys = (table: Table, file: IniFile): readonly string[] => [
  ...misspelt(file),
  ...OWN.flatMap((section) => unknownIn(section, table, file)),
];

/** A mistyped section would lose all its values without a word. */
const misspelt = ({ file, sectionLines }: IniFile): readonly string[] => {
  const read = ['streamer', ...SHARED_SECTIONS.keys()];
  const isPulps = dialectOf(file) === PULP;
  const known = new Set([...read, ...PULP_SECTIONS, ...(isPulps ? ['DEFAULT'] : [])]);
  // Pulp's files also hold sections of its plugins.
  const most = isPulps ? NEAR : undefined;
  return [...sectionLines].flatMap(([section, line]) => {
    const near = known.has(section) ? undefined : nearest(section.trim().toLowerCase(), read, (name) => name, most);
    return near === undefined ? [] : [`${file}:${line}: section [${section}] is not read; the nearest is [${near}]`];
  });
};

const unknownIn = (section: string, table: Table, { file, sections }: IniFile): readonly string[] => {
  const known = Object.entries(table).flatMap(([name, setting]) => spellingsOf(name, setting));
  const fine = [...known, ...PULP_KEYS].filter((spelling) => spelling.section === section).map(({ key }) => key);
  return [...(sections.get(section) ?? [])]
    .filter(([key]) => !fine.includes(key))
    .map(([key, { line }]) => {
      const near = nearest(key, known, (spelling) => spelling.key);
      const hint = near?.section === section ? near.key : `${near?.key} in section [${near?.section}]`;
      return `${file}:${line}: [${section}] ${key} is not a setting; the nearest is ${hint}`;
    });
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
