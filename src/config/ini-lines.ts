/**
 * A section's header, or a key with what stands on its line and on those that continue it; lines
 * count from 1.
 */
export type IniLine =
  | { readonly section: string; readonly line: number }
  | {
      readonly section: string;
      readonly key: string;
      readonly line: number;
      /** The text after the separator. */
      readonly first: string;
      /** Trimmed, and not empty. */
      readonly more: readonly string[];
    };

export interface IniLines {
  /** In the order of the file. */
  readonly lines: readonly IniLine[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

const NOTHING_ON_IT = /^\s*([#;]|$)|^rem(\s|$)/i;
const HEADER = /^\[([^\]]+)\]\s*([#;].*)?$/s;
const PAIR = /^([^:=]*)[:=](.*)$/s;

/**
 * Separates the lines of a file, by the rules of Python's ConfigParser in all dialects: `key:
 * value` or `key = value`; lines that begin with `#`, `;` or the word `rem` are comments; an
 * indented line continues the value above it; keys are lower-cased, sections are case-sensitive. As
 * in Python 2, a section or a key may occur again, but that is warned about: one of the two was not
 * meant. Problems and warnings never quote a line, because it may hold a secret.
 *
 * @param file names the text in problems
 */
export const readLines = (content: string, file: string): IniLines => {
  const lines: IniLine[] = [];
  const sectionLines = new Map<string, number>();
  const keyLines = new Map<string, number>();
  const problems: string[] = [];
  const warnings: string[] = [];
  let section: { readonly name: string | undefined } | undefined;
  // What an indented line belongs to. `broken`: the line above was a problem already, its
  // continuation is not a second one.
  let open: string[] | 'nothing' | 'broken' = 'nothing';

  const warn = (line: number, text: string) => warnings.push(`${file}:${line}: ${text}`);

  // Each reads one line, and answers with what is wrong with it.
  const beginSection = (text: string, line: number): string | undefined => {
    open = 'nothing';
    const name = HEADER.exec(text)?.[1];
    section = { name };
    if (name === undefined) return 'unterminated section header: expected "[name]" and nothing after it';
    const first = sectionLines.get(name);
    if (first !== undefined) warn(line, `section [${name}] again; what follows is added to line ${first}`);
    else sectionLines.set(name, line);
    lines.push({ section: name, line });
    return undefined;
  };

  const beginValue = (text: string, line: number): string | undefined => {
    const missing = section === undefined;
    section ??= { name: undefined };
    if (missing) return 'text before any section: expected a section header such as "[streamer]" first';
    const [, name = '', value = ''] = PAIR.exec(text) ?? [];
    const key = name.trim().toLowerCase();
    if (key === '') return 'expected "key: value" or "key = value" (a line that continues a value is indented)';
    const more: string[] = [];
    open = more;
    if (section.name === undefined) return undefined;
    const id = JSON.stringify([section.name, key]);
    const before = keyLines.get(id);
    if (before !== undefined) warn(line, `key ${key} again; it counts instead of line ${before}`);
    keyLines.set(id, line);
    lines.push({ section: section.name, key, line, first: value, more });
    return undefined;
  };

  const continueValue = (text: string): string | undefined => {
    if (open === 'nothing')
      return 'an indented line continues the value above it, but there is no value above: expected no indentation';
    if (open !== 'broken') open.push(text.trim());
    return undefined;
  };

  for (const [index, text] of content
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (NOTHING_ON_IT.test(text)) continue;
    const read = /^\s/.test(text) ? continueValue : text.startsWith('[') ? beginSection : beginValue;
    const problem = read(text, index + 1);
    if (problem === undefined) continue;
    problems.push(`${file}:${index + 1}: ${problem}`);
    open = 'broken';
  }
  return { lines, problems, warnings };
};
