import { stringify } from 'ini';
import type { Settled } from './print.ts';
import { keyOf, SETTINGS, type Table } from './schema.ts';

/** One line of a plain file, `key = value`. It is read back as exactly this text. */
export const settingLine = (key: string, text: string): string =>
  stringify({ [key]: text }, { whitespace: true, platform: 'linux' });

/** A comment; always a single line. */
export const commentLine = (text: string): string => `# ${text.replaceAll(/\s+/g, ' ')}\n`;

export const LEFT_OUT = 'is a secret and left out; --secrets writes it';

/**
 * A pulp-streamer.conf with every setting, which loads back to the same settings. Unless `secrets`
 * is set, a comment replaces each secret that was given.
 */
export const settingsIni = (
  { settings, origins }: Settled,
  { secrets }: { readonly secrets: boolean },
  table: Table = SETTINGS,
): string => {
  const lines = Object.entries(table).map(([name, { kind, secret }]) =>
    secret && !secrets && origins[name] !== 'default'
      ? commentLine(`${keyOf(name)} ${LEFT_OUT}`)
      : settingLine(keyOf(name), kind.format(settings[name])),
  );
  return [
    '# All settings in effect, written by pulp-streamer check-config --format ini\n',
    '[streamer]\n',
    ...lines,
  ].join('');
};
