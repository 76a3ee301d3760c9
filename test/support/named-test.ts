import { existsSync, readFileSync } from 'node:fs';

/** A test: its file, its title, and the name of its case if it has several. */
export type NamedTest = readonly [file: string, title: string, name?: string];

const ROOT = new URL('../..', import.meta.url);
const texts = new Map<string, string>();

/** The text of a file of the project. */
export const textOf = (file: string): string => {
  const text = texts.get(file) ?? readFileSync(new URL(file, ROOT), 'utf8');
  texts.set(file, text);
  return text;
};

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** What is wrong with a named test: it must exist, with its case, and `npm test` must run it. */
export const faultOf = ([file, title, name]: NamedTest): string | undefined => {
  const ignored = [...textOf('jest.config.js').matchAll(/<rootDir>\/(test\/\w+\/)/g)].map(([, folder]) => folder ?? '');
  if (!existsSync(new URL(file, ROOT)) || ignored.some((folder) => file.startsWith(folder)))
    return 'no file of `npm test`';
  const text = textOf(file);
  if (/\b(?:it|test|describe)\.(?:skip|todo|only|failing)\b|\bx(?:it|describe|test)\(/.test(text)) return 'skipped';
  const titles = new RegExp(
    `(?:\\bit\\w*\\(|^\\s*\\]?\\)?\\(|\\)\\(|\\n)\\s*'${literally(title)}',\\s*(?:async\\b|\\(|\\n)`,
    'm',
  );
  if (!titles.test(text)) return 'no such test';
  if (name === undefined) return undefined;
  return new RegExp(`(?:\\[\\s*|^\\s*|\\{\\s*)'${literally(name)}'(?:,|:)`, 'm').test(text)
    ? undefined
    : 'no such case';
};
