/** One value of an INI file, continuation lines joined with a newline, and the line (from 1) that its key stands on. */
export interface IniValue {
  readonly value: string;
  /** The same before what it refers to was put in. */
  readonly raw: string;
  readonly line: number;
  /** Why there is no `value`, and what was expected: it then stands as it is written. Whoever wants the value must report it. */
  readonly problem?: string;
}

export type Section = ReadonlyMap<string, IniValue>;
export type Sections = ReadonlyMap<string, Section>;

/**
 * A read INI file. What could not be understood is listed in `problems`, what is understood but hardly meant in `warnings` (each names
 * file and line); the rest is there all the same.
 */
export interface IniFile {
  readonly file: string;
  readonly sections: Sections;
  /** Where each section begins. */
  readonly sectionLines: ReadonlyMap<string, number>;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}
