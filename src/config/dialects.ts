import { basename } from 'node:path';
import type { IniValue, Section, Sections } from './ini-file.ts';
import { BadReference, type Interpolate, lenient, safe } from './interpolate.ts';

/** How a file's values are read, once its lines are told apart. */
export interface Dialect {
  /** A value's text. `first` follows the separator on the key's line; the lines that continue it are trimmed and not empty. */
  readonly textOf: (first: string, more: readonly string[]) => string;
  /** Puts in what values refer to; one for which that is not possible gets a `problem`. */
  readonly settle: (sections: Sections) => Sections;
}

/** The streamer's own files. A value may stand in double quotes, as a JSON string; nothing refers to anything. */
export const PLAIN: Dialect = {
  textOf: (first, more) => {
    const quoted = more.length === 0 ? unquoted(first.trim()) : undefined;
    if (quoted !== undefined) return quoted;
    const text = [first.replace(/\s;.*$/s, '').trim(), ...more].join('\n').trim();
    // So the `ini` package writes them, for which either begins a comment everywhere.
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

/** Python 2 takes `""` for an empty value, and for a comment what follows a value's first `;`, if that one stands behind white space. */
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
 * Pulp 2's server.conf and streamer.conf: Python's SafeConfigParser. Values refer to keys of their section and of [DEFAULT]; those of [DEFAULT]
 * are no values of any section, because Pulp sets its own defaults in each.
 */
export const PULP: Dialect = python(safe, false);

/** Descriptors of alternate content sources: Python 2's ConfigParser. What a source does not say, [DEFAULT] says for all of its file. */
export const DESCRIPTOR: Dialect = python(lenient, true);

/** The dialect of a configuration file, by its name: Pulp's own files are read as Pulp reads them, wherever they are. */
export const dialectOf = (file: string): Dialect =>
  ['server.conf', 'streamer.conf'].includes(basename(file)) ? PULP : PLAIN;
