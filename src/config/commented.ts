import { GROUPS } from './groups.ts';
import { keyOf, SETTINGS, type Setting, type SettingName } from './schema.ts';
import { settingLine } from './write-ini.ts';

/** Columns of a comment. */
const WIDTH = 100;

const wrapped = (text: string): string =>
  (text.match(new RegExp(`.{1,${WIDTH - 2}}(?=\\s|$)|\\S+`, 'g')) ?? []).map((line) => `# ${line.trim()}\n`).join('');

const described = (name: SettingName): string => {
  const { meaning, kind, default: byDefault }: Setting = SETTINGS[name];
  const text = byDefault.replace(/\{(\w+)\}/g, (whole, key: string) => defaultOf(key) ?? whole);
  return `${wrapped(`${meaning.replaceAll('`', '')} Expected: ${kind.expected}.`)}#${settingLine(keyOf(name), text)}`;
};

const defaultOf = (key: string): string | undefined =>
  Object.entries(SETTINGS).find(([name]) => keyOf(name) === key)?.[1].default;

/**
 * A pulp-streamer.conf with every setting as a comment: its meaning, what is expected, and its
 * default. So it changes nothing until a line loses its `#`.
 */
export const commentedIni = (): string =>
  [
    '# Settings of pulp-streamer. Each line that begins with # and a name is a default; remove its # to change it.\n',
    '# `pulp-streamer check-config` checks this file.\n\n[streamer]\n',
    ...Object.entries(GROUPS).flatMap(([group, names]) => [
      `\n# ---- ${group} ----\n`,
      ...names.map((name) => `\n${described(name)}`),
    ]),
  ].join('');
