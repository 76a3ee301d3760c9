import { credentialFile, isAbsent, secretText } from '../lib/credential.ts';
import { messageOf } from '../lib/thrown.ts';
import type { IniFile } from './ini-file.ts';
import {
  flagOf,
  keyOf,
  type Setting,
  type Spelling,
  spellingsOf,
  type Table,
  type ValuesOf,
  variableOf,
} from './schema.ts';

/**
 * Where settings come from: files, the later over the earlier; environment over files; flags over
 * environment; options over all.
 */
export interface Layers {
  readonly files: readonly IniFile[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By the setting's name, e.g. `cacheTimeout`. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  /** What an embedding program sets, by the same names. */
  readonly options?: Readonly<Record<string, string | undefined>>;
}

/**
 * Where each value came from: `flag --port`, `environment PULP_STREAMER_PORT`, `FILE:LINE` or
 * `default`.
 */
export type OriginsOf<T extends Table> = { readonly [Name in keyof T]: string };

export interface Resolved<T extends Table> {
  /** Complete and valid only if there are no problems. */
  readonly settings: ValuesOf<T>;
  readonly origins: OriginsOf<T>;
  readonly problems: readonly string[];
  /** Credentials of systemd that only the service has; the settings have what is weaker instead. */
  readonly absent: readonly string[];
}

/** A text that was written for a setting. */
export interface Given {
  readonly text: string;
  /** Where in a file, and how it is written there. */
  readonly written?: Spelling & { readonly raw: string };
  /** Why the written text cannot be used. */
  readonly problem?: string;
  readonly origin: string;
  /** The origin, and what it is called there. */
  readonly where: string;
}

const inFile = (name: string, setting: Setting, { file, sections }: IniFile): readonly Given[] =>
  spellingsOf(name, setting)
    .toReversed()
    .flatMap(({ section, key }) => {
      const found = sections.get(section)?.get(key);
      if (found === undefined) return [];
      const origin = `${file}:${found.line}`;
      const { value: text, raw, problem } = found;
      return [{ text, written: { section, key, raw }, problem, origin, where: `${origin}: [${section}] ${key}` }];
    });

const outside = (origin: string, text: string | undefined): readonly Given[] =>
  text === undefined ? [] : [{ text, origin, where: origin }];

/** The defaults that a section or another setting implies. */
const impliedFor = ({ implied }: Setting, table: Table, layers: Layers): readonly Given[] => {
  if (!implied) return [];
  const { text, bySections = [], bySetting, being } = implied;
  const other = table[bySetting];
  const values = other ? allGiven(bySetting, other, table, layers) : [];
  const reasons = [
    ...layers.files.flatMap(({ file, sections }) =>
      bySections.filter((name) => sections.has(name)).map((name) => `${file}: section [${name}]`),
    ),
    // Of a certain value, only the strongest counts: it may have been overruled.
    ...(being === undefined
      ? values.filter(({ text }) => text.trim() !== '')
      : values.slice(-1).filter(({ text }) => other?.kind.read(text) === being)
    ).map(({ where }) => where),
  ];
  return reasons.flatMap((reason) => outside(reason, text));
};

const givenFor = (name: string, setting: Setting, { files, env, flags, options }: Layers): readonly Given[] => [
  ...files.flatMap((file) => inFile(name, setting, file)),
  ...outside(`environment ${variableOf(name)}`, env[variableOf(name)]),
  ...outside(`flag ${flagOf(name)}`, flags[name]),
  ...outside(`option ${name}`, options?.[name]),
];

/** All values given for a setting, weakest first. */
export const allGiven = (name: string, setting: Setting, table: Table, layers: Layers): readonly Given[] => [
  ...impliedFor(setting, table, layers),
  ...givenFor(name, setting, layers),
];

const takesCredential = ({ secret, kind }: Setting): boolean => secret === true || kind.credential === true;

/** A credential's text for a secret, and its file for a setting that names one. */
const withCredential = ({ secret, kind }: Setting, text: string, env: Layers['env']): string => {
  if (secret) return secretText(text, env);
  return kind.credential ? credentialFile(text, env) : text;
};

/**
 * Settles every setting of a table: the strongest text wins, and every text must be valid, also one
 * that is overruled, because nobody means to write a wrong one. Problems say where, what was
 * expected and what was found; of a secret they do not show it.
 */
export const resolveSettings = <T extends Table>(table: T, layers: Layers): Resolved<T> => {
  const settings: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  const shown = new Map<string, string>();
  const problems: string[] = [];
  const absent: string[] = [];
  for (const [name, setting] of Object.entries(table)) {
    const filled = setting.default.replace(/\{(\w+)\}/g, (whole, key: string) => shown.get(key) ?? whole);
    const given = allGiven(name, setting, table, layers);
    for (const { text, problem, origin, where } of [...outside('default', filled), ...given]) {
      if (problem !== undefined) {
        problems.push(`${where}: ${problem}`);
        continue;
      }
      if (takesCredential(setting) && isAbsent(text, layers.env)) {
        absent.push(
          `${where}: ${text} is not there: CREDENTIALS_DIRECTORY is set only in the service (LoadCredential=)`,
        );
        continue;
      }
      let value: unknown;
      try {
        value = setting.kind.read(withCredential(setting, text, layers.env));
      } catch (error) {
        problems.push(`${where}: ${messageOf(error)}`);
        continue;
      }
      if (value === undefined) {
        const found = setting.secret ? 'something else (a secret, not shown)' : JSON.stringify(text);
        problems.push(`${where}: expected ${setting.kind.expected}; found ${found}`);
        continue;
      }
      settings[name] = value;
      origins[name] = origin;
      shown.set(keyOf(name), setting.kind.format(value));
    }
  }
  return { settings: settings as ValuesOf<T>, origins: origins as OriginsOf<T>, problems, absent };
};
