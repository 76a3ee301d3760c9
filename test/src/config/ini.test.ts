import { describe, expect, it } from '@jest/globals';
import { DESCRIPTOR, dialectOf, PLAIN, PULP } from '../../../src/config/dialects.ts';
import { parseIni } from '../../../src/config/ini.ts';
import type { IniFile } from '../../../src/config/ini-file.ts';

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
    ['rem, the comment of older days', '[a]\nREM x: 1\nremark: 2\nrem', { a: { remark: '3 2' } }],
    ['line separators of Unicode', '[a\u2028b]\nx: \u2028y\u2029z', { 'a\u2028b': { x: '2 y\u2029z' } }],
    ['names that objects have', '[__proto__]\nconstructor: 1\n', { ['__proto__']: { constructor: '2 1' } }],
  ];
  it.each(good)('%s', (_, text, expected) => {
    const read = parseIni(text, 'f.conf');
    expect(read.problems).toEqual([]);
    expect(plain(read)).toEqual(expected);
  });

  const bad: [name: string, text: string, problems: string[]][] = [
    [
      'text before any section, reported once',
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
      ['f.conf:2: an indented line continues the value above it, but there is no value above: expected no indentation'],
    ],
  ];
  it.each(bad)('%s', (_, text, problems) => {
    expect(parseIni(text, 'f.conf').problems).toEqual(problems);
  });

  it('keeps the valid lines in addition to a problem', () => {
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

describe('the dialect of', () => {
  it.each([
    ['/etc/pulp/server.conf', PULP],
    ['streamer.conf', PULP],
    ['/etc/pulp-streamer/pulp-streamer.conf', PLAIN],
    ['/etc/mine.conf', PLAIN],
  ])('%s goes by its name', (file, dialect) => expect(dialectOf(file)).toBe(dialect));

  /** Values of a section, or what is wrong with them. */
  const valuesOf = ({ sections }: Pick<IniFile, 'sections'>, section = 'a') =>
    Object.fromEntries([...(sections.get(section) ?? [])].map(([key, { value, problem }]) => [key, problem ?? value]));

  const LONE =
    'expected "%%" for a percent sign, or "%(KEY)s" for the value of another key; found a "%" that is neither';
  const UNKNOWN =
    'expected "%(KEY)s" for the value of another key; found a key that is neither in its section nor in [DEFAULT]';
  const ENDLESS = 'expected references at most 10 deep; found more (one may refer to itself)';

  it.each([
    ['a percent sign is one', 'p%%w%(x)s', 'p%%w%(x)s'],
    ['a value in quotes is a JSON string', '"a ; b\\n\\u0041" ; comment', 'a ; b\nA'],
    ['a quote that is not closed is one', '"a ; comment', '"a'],
    ['what follows a quoted value belongs to it', '"a"b', '"a"b'],
    ['invalid JSON stays unchanged', String.raw`"\q"`, String.raw`"\q"`],
    ['a comment needs white space in front', 'a;b #c ;d', 'a;b #c'],
    ['a backslash keeps comments away, as ini writes it', String.raw`a \; b\#c\d`, String.raw`a ; b#c\d`],
  ])('our own files: %s', (_, written, value) =>
    expect(valuesOf(parseIni(`[a]\nx: ${written}`, 'f', PLAIN))).toEqual({ x: value }),
  );

  it.each<[string, string, Record<string, string>]>([
    ['two percent signs are one', 'x: p%%w', { x: 'p%w' }],
    ['a reference, its key in any case', 'x: %(Y)s/%(y)s\ny: 1', { x: '1/1', y: '1' }],
    ['a reference to [DEFAULT], the section first', 'x: %(d)s%(y)s\ny: 1', { x: 'D1', y: '1' }],
    ['a reference within another', 'x: %(y)s\ny: %%%(d)s', { x: '%D', y: '%D' }],
    ['a reference to what is on several lines', 'x: %(y)s\ny: 1\n  2', { x: '1\n2', y: '1\n2' }],
    ['the name of the section', 'x: %(__name__)s', { x: 'a' }],
    ['a lone percent sign', 'x: p%w\ny: %', { x: LONE, y: LONE }],
    ['an incomplete reference', 'x: %(y\ny: %()s\nz: %(y)d', { x: LONE, y: LONE, z: LONE }],
    ['a reference to nothing', 'x: %(nowhere)s', { x: UNKNOWN }],
    ['a reference to itself', 'x: %(x)s', { x: ENDLESS }],
    ['a comment behind the first semicolon alone', 'x: a;b ;c\ny: a ;b', { x: 'a;b ;c', y: 'a' }],
    ['a semicolon at the beginning', 'x: ;a', { x: ';a' }],
    ['quotes, which stay, but where nothing is in them', 'x: "a"\ny: ""', { x: '"a"', y: '' }],
  ])('Pulp’s files: %s', (_, lines, values) =>
    expect(valuesOf(parseIni(`[DEFAULT]\nd: D\ny: 0\n[a]\n${lines}`, 'f', PULP))).toEqual(values),
  );

  it('Pulp’s files: [DEFAULT] is not a section, and has no effect on the others', () => {
    const { sections } = parseIni('[a]\n[DEFAULT]\nport: 1\n', 'f', PULP);
    expect([...sections]).toEqual([['a', new Map()]]);
  });

  it.each<[string, string, Record<string, string>]>([
    ['percent signs stay as they are', 'x: a%20b%%20c%', { x: 'a%20b%%20c%' }],
    ['but for values with a reference', 'x: %(d)s%%20', { x: 'D%20' }],
    ['where a lone one is wrong', 'x: %(d)s%20', { x: LONE }],
    ['a reference that comes of two percent signs', 'x: %%(d)s', { x: 'D' }],
    ['a reference to nothing', 'x: %(nowhere)s', { x: UNKNOWN }],
    ['a reference to itself', 'x: %(x)s', { x: ENDLESS }],
  ])('descriptors: %s', (_, lines, values) =>
    expect(valuesOf(parseIni(`[DEFAULT]\nd: D\n[a]\n${lines}`, 'f', DESCRIPTOR))).toEqual({ ...values, d: 'D' }),
  );

  it.each([
    ['Pulp’s files', PULP],
    ['descriptors', DESCRIPTOR],
  ])('%s: references add a mebibyte to a value at most', (_, dialect) => {
    const LONG = 'expected references to at most 1048576 characters in all; found more';
    const doubling = (levels: number) =>
      Array.from({ length: levels }, (_, at) => `k${at}: ${`%(k${at + 1})s`.repeat(100)}\n`).join('');
    const { sections } = parseIni(`[a]\nx: ${'%(x)s'.repeat(200)}\n${doubling(9)}k9: a\n`, 'f', dialect);
    const values = valuesOf({ sections });
    expect(values).toMatchObject({ x: dialect === PULP ? ENDLESS : LONG, k0: LONG, k6: LONG });
    expect(values.k8).toBe('a'.repeat(100));
    expect(values.k7).toBe('a'.repeat(10_000));
  });

  it('descriptors: [DEFAULT] completes every section, with its own line', () => {
    const { sections } = parseIni('[DEFAULT]\nx: %(__name__)s\ny: 1\n[a]\ny: 2\n[b]', 'f', DESCRIPTOR);
    expect(sections.get('a')).toEqual(
      new Map([
        ['y', { value: '2', raw: '2', line: 5 }],
        ['x', { value: 'a', raw: '%(__name__)s', line: 2 }],
      ]),
    );
    expect(valuesOf({ sections }, 'b')).toEqual({ x: 'b', y: '1' });
    expect([...sections.keys()]).toEqual(['a', 'b']);
  });
});
