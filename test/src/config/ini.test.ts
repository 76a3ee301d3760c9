import { describe, expect, it } from '@jest/globals';
import { type IniFile, parseIni } from '../../../src/config/ini.ts';

const plain = ({ sections }: IniFile) =>
  Object.fromEntries(
    [...sections].map(([name, values]) => [
      name,
      Object.fromEntries([...values].map(([key, { value, line }]) => [key, `${line} ${value}`])),
    ]),
  );

describe('parseIni', () => {
  const good: [name: string, text: string, expected: Record<string, Record<string, string>>][] = [
    ['an empty file', '', {}],
    ['both separators', '[a]\nx: 1\ny = 2\nz=3\n', { a: { x: '2 1', y: '3 2', z: '4 3' } }],
    [
      'the first separator counts',
      '[a]\nurl: http://h/?q=1\np = C:\\x\n',
      { a: { url: '2 http://h/?q=1', p: '3 C:\\x' } },
    ],
    ['comments and blank lines', '# one\n; two\n\n[a] ; three\n  # four\nx: 1\n', { a: { x: '6 1' } }],
    [
      'a comment after a value',
      '[a]\nx: 1 ; one\ny: a;b # c\nz: ; none\n',
      { a: { x: '2 1', y: '3 a;b # c', z: '4 ' } },
    ],
    [
      'continuation lines',
      '[a]\npaths: one/\n  two/\n\n\t# no\n  three/\ny: 1',
      { a: { paths: '2 one/\ntwo/\nthree/', y: '7 1' } },
    ],
    ['a value that begins below its key', '[a]\npaths:\n  one/\n  two/', { a: { paths: '2 one/\ntwo/' } }],
    ['keys in any case, sections as they are', '[A]\nKey: V\n[a]\nKEY: W', { A: { key: '2 V' }, a: { key: '4 W' } }],
    ['empty values', '[a]\nx:\ny: ""\n', { a: { x: '2 ', y: '3 ' } }],
    ['no interpolation', '[a]\nx: %(home)s\n', { a: { x: '2 %(home)s' } }],
    ['carriage returns and a byte order mark', '\uFEFF[a]\r\nx: 1\r\n  2\r\n', { a: { x: '2 1\n2' } }],
    ['names that objects have', '[__proto__]\nconstructor: 1\n', { ['__proto__']: { constructor: '2 1' } }],
  ];
  it.each(good)('%s', (_, text, expected) => {
    const read = parseIni(text, 'f.conf');
    expect(read.problems).toEqual([]);
    expect(plain(read)).toEqual(expected);
  });

  const bad: [name: string, text: string, problems: string[]][] = [
    [
      'text before any section, told once',
      'port: 1\n  2\nmore: 3\n[a]\nx: 1',
      ['f.conf:1: text before any section: expected a section header such as "[streamer]" first'],
    ],
    [
      'a line without separator, and its continuation',
      '[a]\nhunter2\n  more\nx: 1',
      ['f.conf:2: expected "key: value" or "key = value" (a line that continues a value is indented)'],
    ],
    [
      'a line without key',
      '[a]\n= 1',
      ['f.conf:2: expected "key: value" or "key = value" (a line that continues a value is indented)'],
    ],
    [
      'an unterminated section header',
      '[a\nx: 1\n[]\n[b] c',
      [1, 3, 4].map((line) => `f.conf:${line}: unterminated section header: expected "[name]" and nothing after it`),
    ],
    [
      'an indented line that continues nothing',
      '[a]\n  x: 1\n  y: 2',
      ['f.conf:2: an indented line continues the value above it, but there is none: expected no indentation'],
    ],
  ];
  it.each(bad)('%s', (_, text, problems) => {
    expect(parseIni(text, 'f.conf').problems).toEqual(problems);
  });

  it('keeps what it understood beside a problem', () => {
    expect(plain(parseIni('[a]\nx: 1\n  2\nwhat\n  no part of x\ny: 4', 'f'))).toEqual({
      a: { x: '2 1\n2', y: '6 4' },
    });
  });

  it('merges repeated sections and takes the last of repeated keys, as Python 2 does, and warns', () => {
    const read = parseIni('[a]\nx: 1\n  2\ny: 2\n[b]\n[a]\nX: 3\n  4\nz: 5\n[a]', 'f.conf');
    expect(plain(read)).toEqual({ a: { x: '7 3\n4', y: '4 2', z: '9 5' }, b: {} });
    expect(read.problems).toEqual([]);
    expect(read.warnings).toEqual([
      'f.conf:6: section [a] again; what follows is added to line 1',
      'f.conf:7: key x again; it counts instead of line 2',
      'f.conf:10: section [a] again; what follows is added to line 1',
    ]);
  });
});
