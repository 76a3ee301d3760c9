import { stringify } from 'ini';
import type { Settled } from './print.ts';
import { keyOf, SETTINGS, type Table } from './schema.ts';

/** One line of a file of our own: `key = value`, so written that the value is read to the letter. */
export const settingLine = (key: string, text: string): string =>
  stringify({ [key]: text }, { whitespace: true, platform: 'linux' });

/** A comment, on one line whatever is in it. */
export const commentLine = (text: string): string => `# ${text.replaceAll(/\s+/g, ' ')}\n`;

export const LEFT_OUT = 'is a secret and left out; --secrets writes it';

/**
 * A pulp-streamer.conf that says every setting, and loads to the very same settings. Secrets that were given are left out, each with a
 * comment that says so, unless `secrets` is set.
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
  return ['# Every setting as it counts: pulp-streamer check-config --format ini\n', '[streamer]\n', ...lines].join('');
};
