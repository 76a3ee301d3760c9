import { inspect } from 'node:util';
import { ConfigError } from './config-error.ts';
import { nearest } from './nearest.ts';
import type { SettingOptions } from './options.ts';
import { resolveSettings } from './resolve.ts';
import { SETTINGS, type Setting, type Settings } from './schema.ts';

/**
 * Settings from options alone: neither files in `/etc` nor the environment are read. Options that
 * are `undefined` count as absent. Throws a ConfigError with every problem: an unknown option, or a
 * value that is not valid.
 */
export const settingsOf = (options: SettingOptions = {}): Settings => {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const texts: Record<string, string> = {};
  const problems: string[] = [];
  for (const [name, value] of given) {
    const setting: Setting | undefined = Object.hasOwn(TABLE, name) ? TABLE[name] : undefined;
    const text = setting && textOf(setting, value);
    if (text !== undefined) texts[name] = text;
    else if (setting)
      problems.push(`option ${name}: expected ${setting.kind.expected}; found ${shown(setting, value)}`);
    else problems.push(`option ${name}: not a setting; the nearest is ${nearest(name, NAMES, (known) => known)}`);
  }
  const resolved = resolveSettings(SETTINGS, { files: [], env: {}, flags: {}, options: texts });
  const all = [...problems, ...resolved.problems, ...resolved.absent];
  if (all.length > 0) throw new ConfigError(all, resolved.settings);
  return resolved.settings;
};

const TABLE: Readonly<Record<string, Setting>> = SETTINGS;
const NAMES = Object.keys(TABLE);

const shown = ({ secret }: Setting, value: unknown): string =>
  secret ? 'something else (a secret, not shown)' : inspect(value, { breakLength: Number.POSITIVE_INFINITY });

/** The text of an option, as an operator would write it; `undefined` if none stands for it. */
const textOf = ({ kind }: Setting, value: unknown): string | undefined => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'object' && value !== null ? kind.textOf?.(value) : undefined;
};
