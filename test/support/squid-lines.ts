import { readFileSync } from 'node:fs';
import { shipped } from './shipped.ts';

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

/** The lines of a squid.conf without comments and empty lines. */
export const linesOf = (text: string): readonly string[] =>
  text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));

export const shippedLines = (): readonly string[] => linesOf(shipped('squid/squid.conf', {}));

/** The lines that docs/how-to/replace-pulp2.md puts at the top of Pulp's own squid.conf. */
export const linesForPulp = (): string => {
  const [, lines] = /\n```\n(# Only what [^`]+)```/.exec(read('docs/how-to/replace-pulp2.md')) ?? [];
  if (lines === undefined) throw new Error('docs/how-to/replace-pulp2.md has no lines for squid.conf');
  return lines;
};

/** The squid.conf that Pulp's user guide gives, with these lines at its top, and the paths of Squid's package. */
export const pulpsSquid = (lines: string): string =>
  [
    lines,
    read('test/support/pulp2/squid.conf'),
    'access_log daemon:/var/log/squid/access.log',
    'cache_log /var/log/squid/cache.log',
    'pid_filename /run/squid.pid',
    '',
  ].join('\n');

/** A row of a table of a page: the beginnings of lines that it is about, and its other cells. */
export interface Row {
  readonly about: readonly string[];
  readonly cells: readonly string[];
}

/** The rows of the table under a heading of a page whose first cells are code. */
export const rowsUnder = (page: string, heading: string): readonly Row[] => {
  const [, section = ''] = read(page).split(new RegExp(`^## ${heading}$`, 'm'));
  const [own = ''] = section.split(/^## /m);
  return own.split('\n').flatMap((line) => {
    if (!line.startsWith('| `')) return [];
    const [first = '', ...cells] = line.slice(2, -2).split(' | ');
    return [{ about: [...first.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code), cells }];
  });
};

/** Whether a row's code stands for a line: as it begins, up to an ellipsis, and otherwise up to the end of a word. */
export const standsFor = (code: string, line: string): boolean => {
  const [beginning = ''] = code.split('…');
  return line.startsWith(beginning.trimEnd()) && (code.includes('…') || /^(\s|$)/.test(line.slice(code.length)));
};
