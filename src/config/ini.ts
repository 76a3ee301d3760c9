/** One value of an INI file: its text, continuation lines joined with a newline, and the line (from 1) that its key stands on. */
export interface IniValue {
  readonly value: string;
  readonly line: number;
}

/**
 * A read INI file. What could not be understood is listed in `problems`, what is understood but hardly meant in `warnings` (each names
 * file and line); the rest is there all the same.
 */
export interface IniFile {
  readonly file: string;
  readonly sections: ReadonlyMap<string, ReadonlyMap<string, IniValue>>;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

interface OpenValue {
  readonly line: number;
  readonly texts: string[];
}

const NOTHING_ON_IT = /^\s*([#;]|$)/;
const HEADER = /^\[([^\]]+)\]\s*([#;].*)?$/;
const PAIR = /^([^:=]*)[:=](.*)$/;

/** Python 2 takes ` ;` in a value for the start of a comment, but not ` #`; files written for Pulp rely on it. */
const withoutComment = (text: string): string => text.replace(/\s;.*$/, '').trim();

/**
 * Reads the INI dialect of Python's ConfigParser, which Pulp 2's files are written in: `key: value` or `key = value`; lines that
 * begin with `#` or `;` are comments; an indented line continues the value above it; keys are lower-cased, sections are
 * case-sensitive; `""` is an empty value. There is no interpolation: `%` is a character like any other. As in Python 2, repeated
 * sections are merged and the last of repeated keys counts, but not in silence: one of the two is not what its writer meant.
 * Problems and warnings never quote a line, it may hold a secret.
 *
 * @param file names the text in problems
 */
export const parseIni = (content: string, file: string): IniFile => {
  const sections = new Map<string, Map<string, OpenValue>>();
  const sectionLines = new Map<string, number>();
  const problems: string[] = [];
  const warnings: string[] = [];
  let section: Map<string, OpenValue> | undefined;
  // What an indented line belongs to. `broken`: the line above was a problem already, its continuation is no second one.
  let open: OpenValue | 'nothing' | 'broken' = 'nothing';

  const warn = (line: number, text: string) => warnings.push(`${file}:${line}: ${text}`);

  // Each reads one line, and answers with what is wrong with it.
  const beginSection = (text: string, line: number): string | undefined => {
    open = 'nothing';
    const name = HEADER.exec(text)?.[1];
    section = (name === undefined ? undefined : sections.get(name)) ?? new Map();
    if (name === undefined) return 'unterminated section header: expected "[name]" and nothing after it';
    const first = sectionLines.get(name);
    if (first !== undefined) warn(line, `section [${name}] again; what follows is added to line ${first}`);
    else sectionLines.set(name, line);
    sections.set(name, section);
    return undefined;
  };

  const beginValue = (text: string, line: number): string | undefined => {
    const missing = section === undefined;
    section ??= new Map();
    if (missing) return 'text before any section: expected a section header such as "[streamer]" first';
    const [, name = '', value = ''] = PAIR.exec(text) ?? [];
    const key = name.trim().toLowerCase();
    if (key === '') return 'expected "key: value" or "key = value" (a line that continues a value is indented)';
    const first = section.get(key)?.line;
    if (first !== undefined) warn(line, `key ${key} again; it counts instead of line ${first}`);
    open = { line, texts: [withoutComment(value)] };
    section.set(key, open);
    return undefined;
  };

  const continueValue = (text: string): string | undefined => {
    if (open === 'nothing')
      return 'an indented line continues the value above it, but there is none: expected no indentation';
    if (open !== 'broken') open.texts.push(text.trim());
    return undefined;
  };

  for (const [index, text] of linesOf(content).entries()) {
    if (NOTHING_ON_IT.test(text)) continue;
    const read = /^\s/.test(text) ? continueValue : text.startsWith('[') ? beginSection : beginValue;
    const problem = read(text, index + 1);
    if (problem === undefined) continue;
    problems.push(`${file}:${index + 1}: ${problem}`);
    open = 'broken';
  }
  return { file, problems, warnings, sections: new Map([...sections].map(([name, values]) => [name, finish(values)])) };
};

const linesOf = (text: string): string[] => text.replace(/^\uFEFF/, '').split(/\r?\n/);

const finish = (values: ReadonlyMap<string, OpenValue>): ReadonlyMap<string, IniValue> =>
  new Map([...values].map(([key, { line, texts }]) => [key, { line, value: joined(texts) }]));

const joined = (texts: readonly string[]): string => {
  const value = texts.join('\n').trim();
  return value === '""' ? '' : value;
};
