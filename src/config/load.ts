import { readFileSync } from 'node:fs';
import { ConfigError } from './config-error.ts';
import { dialectOf } from './dialects.ts';
import { parseIni } from './ini.ts';
import type { IniFile } from './ini-file.ts';
import { type Layers, type OriginsOf, resolveSettings } from './resolve.ts';
import { SETTINGS, type Settings } from './schema.ts';
import { unknownKeys, unknownVariables } from './unknown.ts';
import { unsupportedIn } from './unsupported.ts';

/** Pulp's own file, and that of its streamer. */
export const PULP_FILES: readonly string[] = ['/etc/pulp/server.conf', '/etc/pulp/streamer.conf'];

export const OWN_FILE = '/etc/pulp-streamer/pulp-streamer.conf';

/** Read if they exist, each over those before it: Pulp's two files, and ours. */
export const STANDARD_FILES: readonly string[] = [...PULP_FILES, OWN_FILE];

export type Origins = OriginsOf<typeof SETTINGS>;

export interface Loaded {
  readonly settings: Settings;
  readonly origins: Origins;
  /** The files read, weakest first; a missing one is empty. */
  readonly files: readonly IniFile[];
  /** Suspicious but harmless: repeated sections and keys, unknown keys and variables. */
  readonly warnings: readonly string[];
}

export interface Sources extends Partial<Omit<Layers, 'files'>> {
  /** Files that must exist, instead of the standard ones; the later over the earlier. */
  readonly files?: readonly string[];
  readonly standardFiles?: readonly string[];
  /** Whether credentials that only the service has may be absent, with a warning. */
  readonly outsideService?: boolean;
}

const readIni = (file: string, mustExist: boolean): IniFile => {
  try {
    return parseIni(readFileSync(file, 'utf8'), file, dialectOf(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const missing = code === 'ENOENT' || code === 'ENOTDIR';
    const problem = `${file}: expected a readable file; found ${missing ? 'none' : `one that cannot be read (${code})`}`;
    const problems = missing && !mustExist ? [] : [problem];
    return { file, sections: new Map(), sectionLines: new Map(), problems, warnings: [] };
  }
};

/**
 * Settles all settings: flags over environment (`PULP_STREAMER_PORT` …) over files over defaults.
 * Flags are texts under the names of {@link Settings}, as commander hands them out; other names in
 * `flags` are not looked at. Throws a {@link ConfigError} with every problem there is.
 */
export const loadSettings = ({
  files,
  standardFiles = STANDARD_FILES,
  env = {},
  flags = {},
  outsideService = false,
}: Sources): Loaded => {
  const read = (files ?? standardFiles).map((file) => readIni(file, files !== undefined));
  const { settings, origins, problems, absent } = resolveSettings(SETTINGS, { files: read, env, flags });
  const all = [...read.flatMap((file) => file.problems), ...problems, ...(outsideService ? [] : absent)];
  if (all.length > 0) throw new ConfigError(all, settings);
  const unsupported = unsupportedIn(read, settings);
  if (unsupported.length > 0) throw new ConfigError(unsupported, settings);
  const warnings = [
    ...read.flatMap((file) => [...file.warnings, ...unknownKeys(SETTINGS, file)]),
    ...unknownVariables(SETTINGS, env),
    ...(outsideService ? absent : []),
  ];
  return { settings, origins, files: read, warnings };
};
