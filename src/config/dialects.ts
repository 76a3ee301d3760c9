import { basename } from 'node:path';
import type { IniValue, Section, Sections } from './ini-file.ts';
import { BadReference, type Interpolate, lenient, safe } from './interpolate.ts';

/** How the values of a file are read, once its lines are separated. */
export interface Dialect {
  /**
   * A value's text. `first` follows the separator on the key's line; the lines that continue it are
   * trimmed and not empty.
   */
  readonly textOf: (first: string, more: readonly string[]) => string;
  /**
   * Resolves references between values. A value whose references cannot be resolved gets a
   * `problem`.
   */
  readonly settle: (sections: Sections) => Sections;
}

/** The streamer's own files. A value in double quotes is a JSON string. There are no references. */
export const PLAIN: Dialect = {
  textOf: (first, more) => {
    const quoted = more.length === 0 ? unquoted(first.trim()) : undefined;
    if (quoted !== undefined) return quoted;
    const text = [first.replace(/\s;.*$/s, '').trim(), ...more].join('\n').trim();
    // The `ini` package writes them with a backslash, because it starts a comment at either.
    return text.replaceAll('\\;', ';').replaceAll('\\#', '#');
  },
  settle: (sections) => sections,
};

const QUOTED = /^("(?:[^"\\]|\\.)*")(?:\s+;.*)?$/s;

const unquoted = (text: string): string | undefined => {
  const [, json] = QUOTED.exec(text) ?? [];
  try {
    return json === undefined ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
};

/**
 * In Python 2 `""` is an empty value, and a value's first `;` starts a comment if it follows white
 * space.
 */
const pythonText = (first: string, more: readonly string[]): string => {
  const text = first.trim();
  const at = text.indexOf(';');
  const value = at > 0 && /\s/.test(text.charAt(at - 1)) ? text.slice(0, at).trim() : text;
  return [value === '""' ? '' : value, ...more].join('\n');
};

const python = (interpolate: Interpolate, inherit: boolean): Dialect => ({
  textOf: pythonText,
  settle: (sections) => {
    const defaults: Section = sections.get('DEFAULT') ?? new Map();
    const settled = ([name, own]: readonly [string, Section]): readonly [string, Section] => {
      const inherited = [...defaults].filter(([key]) => !own.has(key));
      const all = new Map([...own, ...inherited]);
      const textOf = (key: string) => all.get(key)?.raw ?? (key === '__name__' ? name : undefined);
      const values = inherit ? all : own;
      return [name, new Map([...values].map(([key, value]) => [key, put(value, interpolate, textOf)]))];
    };
    return new Map([...sections].filter(([name]) => name !== 'DEFAULT').map(settled));
  },
});

const put = (written: IniValue, interpolate: Interpolate, textOf: (key: string) => string | undefined): IniValue => {
  try {
    return { ...written, value: interpolate(written.raw, textOf) };
  } catch (error) {
    if (!(error instanceof BadReference)) throw error;
    return { ...written, problem: error.message };
  }
};

/**
 * Pulp 2's server.conf and streamer.conf: Python's SafeConfigParser. Values may refer to keys of
 * their section and of [DEFAULT]. Keys of [DEFAULT] are not values of other sections: Pulp sets its
 * own defaults in each section, and those win.
 */
export const PULP: Dialect = python(safe, false);

/**
 * Descriptors of alternate content sources: Python 2's ConfigParser. Keys of [DEFAULT] are defaults
 * of every source in the file.
 */
export const DESCRIPTOR: Dialect = python(lenient, true);

/**
 * The dialect of a configuration file, by its name: `server.conf` and `streamer.conf` are Pulp's,
 * in any folder.
 */
export const dialectOf = (file: string): Dialect =>
  ['server.conf', 'streamer.conf'].includes(basename(file)) ? PULP : PLAIN;
