import type { IniFile } from './ini-file.ts';
import { SHARED_SECTIONS } from './pulp.ts';
import { allGiven, type Given } from './resolve.ts';
import { keyOf, SETTINGS, type Setting, spellingsOf, type Table } from './schema.ts';
import { commentLine, LEFT_OUT, settingLine } from './write-ini.ts';

/**
 * One pulp-streamer.conf that loads to the same settings as Pulp's files, which are given weakest
 * first and must be valid. A comment names each value that was changed, renamed or has no
 * counterpart. Secrets are left out unless `secrets` is set.
 */
export const migrated = (
  files: readonly IniFile[],
  { secrets }: { readonly secrets: boolean },
  table: Table = SETTINGS,
): string => {
  const settings = Object.entries(table).flatMap(([name, setting]) => {
    const given = allGiven(name, setting, table, { files, env: {}, flags: {} });
    const counts = given.at(-1);
    if (counts === undefined) return [];
    const text = textOf(setting, counts);
    const remarks = [...comments(name, setting, counts, text), ...given.slice(0, -1).filter(isWritten).map(overruled)];
    const hidden = setting.secret && !secrets;
    return [
      '\n',
      ...remarks.map(commentLine),
      hidden ? commentLine(`${keyOf(name)} ${LEFT_OUT}`) : settingLine(keyOf(name), text),
    ];
  });
  const rest = files.flatMap((file) => withoutCounterpart(table, file)).map(commentLine);
  return [
    commentLine(`Made of ${files.map(({ file }) => file).join(' and ')} by pulp-streamer check-config --migrate`),
    '[streamer]\n',
    ...settings,
    ...(rest.length > 0 ? ['\n', ...rest] : []),
  ].join('');
};

/** The text as written; a value of several lines is put on one. */
const textOf = ({ kind }: Setting, { text }: Given): string =>
  /[\r\n]/.test(text.trim()) ? kind.format(kind.read(text)) : text.trim();

const isWritten = ({ written }: Given): boolean => written !== undefined;

const comments = (name: string, { secret }: Setting, { written, origin }: Given, text: string): readonly string[] => {
  const key = keyOf(name);
  if (written === undefined) return [`${key} follows from ${origin}`];
  const renamed = written.section !== 'streamer' || written.key !== key;
  const changed = written.raw.trim() !== text;
  return [
    ...(renamed ? [`${key} was [${written.section}] ${written.key} (${origin})`] : []),
    ...(changed ? [`${key} was written ${secret ? 'in another way' : JSON.stringify(written.raw)} (${origin})`] : []),
  ];
};

const overruled = ({ where }: Given): string => `overruled by what follows: ${where}`;

const withoutCounterpart = (table: Table, { file, sections, sectionLines }: IniFile): readonly string[] => {
  const known = Object.entries(table).flatMap(([name, setting]) => spellingsOf(name, setting));
  return [...sectionLines].flatMap(([section, line]) => {
    const values = sections.get(section);
    if (values === undefined)
      return [`no counterpart: [${section}] (${file}:${line}); what refers to it has its values`];
    const taken = known.filter((spelling) => spelling.section === section).map(({ key }) => key);
    const left = [...values].filter(([key]) => !taken.includes(key));
    const why = SHARED_SECTIONS.get(section) ?? 'the streamer does not know it';
    if (taken.length > 0 || left.length === 0)
      return left.map(([key, { line }]) => `no counterpart: [${section}] ${key} (${file}:${line}); ${why}`);
    return [`no counterpart: [${section}] ${left.map(([key]) => key).join(', ')} (${file}:${line}); ${why}`];
  });
};
