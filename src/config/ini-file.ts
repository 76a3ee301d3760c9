/**
 * One value of an INI file, continuation lines joined with a newline, and the line (from 1) that
 * its key stands on.
 */
export interface IniValue {
  readonly value: string;
  /** The text before references were resolved. */
  readonly raw: string;
  readonly line: number;
  /**
   * Why the value cannot be used, and what was expected. `value` is then the text as written.
   * Report it only if the value is needed.
   */
  readonly problem?: string;
}

export type Section = ReadonlyMap<string, IniValue>;
export type Sections = ReadonlyMap<string, Section>;

/**
 * A read INI file. What could not be understood is listed in `problems`, what is understood but
 * hardly meant in `warnings` (each names file and line); the rest is there all the same.
 */
export interface IniFile {
  readonly file: string;
  readonly sections: Sections;
  /** Where each section begins. */
  readonly sectionLines: ReadonlyMap<string, number>;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}
