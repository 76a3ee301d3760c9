import { DAEMON_ONLY, GROUPS } from './groups.ts';
import { keyOf, SETTINGS, type Setting, type SettingName } from './schema.ts';

/** The text of options.ts, generated from the table of settings. */
export const optionTypes = (): string => {
  const alone = new Set<string>(DAEMON_ONLY);
  const [embedded, daemon] = [false, true].map((daemonOnly) =>
    Object.entries(GROUPS)
      .map(([group, names]) => [group, names.filter((name) => alone.has(name) === daemonOnly)] as const)
      .filter(([, names]) => names.length > 0)
      .map(([group, names]) => `  // ${plain(group)}\n\n${names.map(member).join('\n')}`)
      .join('\n'),
  );
  return `// Generated from schema.ts, groups.ts and kinds.ts by \`npm run docs\`; edit those files instead.
import type { Duration, Share, Size } from './kinds.ts';

/**
 * The settings of a streamer that is embedded in a program. A duration without unit is in seconds, a
 * size in bytes. Relative paths start at the working directory.
 */
export interface EmbeddedOptions {
${embedded}}

/** All settings: also those of the daemon. */
export interface SettingOptions extends EmbeddedOptions {
${daemon}}
`;
};

const member = (name: SettingName): string => {
  const setting: Setting = SETTINGS[name];
  const { kind, meaning } = setting;
  // The type says it already.
  const expected = kind.option === 'boolean' || kind.option.startsWith("'") ? [] : [`Expected: ${kind.expected}.`];
  const paragraphs = [meaning, ...expected, `Default: ${defaultOf(setting)}.`].map((text) => wrapped(camel(text)));
  return `  /**\n${paragraphs.join('   *\n')}   */\n  readonly ${name}?: ${kind.option};\n`;
};

const defaultOf = ({ kind, default: byDefault, implied }: Setting): string =>
  [byDefault, ...(implied ? [implied.text] : [])]
    .map((text) => {
      if (text === '') return 'empty';
      const value = kind.read(text);
      return `\`${kind.option === 'boolean' ? value : kind.unit ? kind.format(value) : text}\``;
    })
    .join(' or ');

/** Lines of a comment. */
const wrapped = (text: string): string => text.replace(/(.{1,95})(?:\s|$)/gu, '   * $1\n');

/** Names of settings as they are among options. */
const camel = (text: string): string => text.replace(/(?<=[`{])\w+(?=[`}])/g, (word) => NAMES.get(word) ?? word);

const NAMES = new Map(Object.keys(SETTINGS).map((name) => [keyOf(name), name]));

const plain = (text: string): string => text.replaceAll('`', '');
