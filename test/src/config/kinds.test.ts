import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  age,
  boolean,
  choice,
  integer,
  jsonArray,
  jsonObject,
  type Kind,
  list,
  loginMethod,
  mongodbUrl,
  networks,
  optional,
  path,
  size,
  tlsLevels,
  urlPrefix,
  wait,
  words,
} from '../../../src/config/kinds.ts';

const refused = Symbol('refused');
const read = <T>(kind: Kind<T>, text: string): T | typeof refused => {
  const result = kind.schema.safeParse(text);
  return result.success ? result.data : refused;
};

describe('kinds of values', () => {
  const level = choice('WARNING', 'INFO');
  const cases: [kind: string, is: Kind<unknown>, text: string, value: unknown][] = [
    ['integer', integer(0, 65_535), '8751', 8751],
    ['integer', integer(0, 65_535), ' 0 ', 0],
    ['integer', integer(0, 65_535), '65536', refused],
    ['integer', integer(1, 9), '0', refused],
    ['integer', integer(0, 9), '-1', refused],
    ['integer', integer(0, 9), '1.5', refused],
    ['integer', integer(0, 99), '0x10', refused],
    ['integer', integer(0, 99), '', refused],
    ['wait', wait(1), '6.05', 6050],
    ['wait', wait(1), '27', 27_000],
    ['wait', wait(1), '250ms', 250],
    ['wait', wait(1), '1.5 M', 90_000],
    ['wait', wait(1), '2h', 7_200_000],
    ['wait', wait(1), '24 d', 2_073_600_000],
    ['wait', wait(1), '25d', refused],
    ['wait', wait(1), '0', refused],
    ['wait', wait(1), '0.1ms', refused],
    ['wait', wait(0), '0', 0],
    ['wait', wait(0), '1.001', 1001],
    ['wait', wait(0), '4.035', 4035],
    ['wait', wait(0), '-1', refused],
    ['wait', wait(0), '1 week', refused],
    ['wait', wait(0), '1.2.3', refused],
    ['wait', wait(0), 'Infinity', refused],
    ['age', age, '86400', 86_400_000],
    ['age', age, '30d', 2_592_000_000],
    ['age', age, '0', 0],
    ['age', age, '1.5', refused],
    ['age', age, '2147483648', 2_147_483_648_000],
    ['age', age, '2147483649', refused],
    ['size', size, '0', 0],
    ['size', size, '1000', 1000],
    ['size', size, '1 B', 1],
    ['size', size, '64k', 64_000],
    ['size', size, '64KB', 64_000],
    ['size', size, '64KiB', 65_536],
    ['size', size, '1.5 MiB', 1_572_864],
    ['size', size, '1M', 1_000_000],
    ['size', size, '2G', 2_000_000_000],
    ['size', size, '1gib', 1_073_741_824],
    ['size', size, '0.5', refused],
    ['size', size, '1 iB', refused],
    ['size', size, '-1', refused],
    ['size', size, 'much', refused],
    ...['yes', 'TRUE', ' on', '1'].map((text): [string, Kind<unknown>, string, unknown] => [
      'boolean',
      boolean,
      text,
      true,
    ]),
    ...['no', 'False', 'off', '0'].map((text): [string, Kind<unknown>, string, unknown] => [
      'boolean',
      boolean,
      text,
      false,
    ]),
    ...['', '2', 'y', 'constructor'].map((text): [string, Kind<unknown>, string, unknown] => [
      'boolean',
      boolean,
      text,
      refused,
    ]),
    ['words', words('name'), ' a b ', 'a b'],
    ['words', words('name'), '', ''],
    ['mongodbUrl', mongodbUrl, 'mongodb://u:p@a,b:1/db', 'mongodb://u:p@a,b:1/db'],
    ['mongodbUrl', mongodbUrl, 'mongodb+srv://a', 'mongodb+srv://a'],
    ['mongodbUrl', mongodbUrl, '', ''],
    ['mongodbUrl', mongodbUrl, 'mongodb://', refused],
    ['mongodbUrl', mongodbUrl, 'localhost:27017', refused],
    ['optional', optional(path('file')), '', ''],
    ['optional', optional(path('file')), '/a/../b', '/b'],
    ['choice', level, 'info', 'INFO'],
    ['choice', level, ' Warning', 'WARNING'],
    ['choice', level, 'loud', refused],
    ['list', list('names'), '', []],
    ['list', list('names'), 'lo', ['lo']],
    ['list', list('names'), ' lo , ::1,\n10.0.0.1', ['lo', '::1', '10.0.0.1']],
    ['list', list('names'), 'lo,,eth0', refused],
    ['list', list('names'), 'lo eth0', refused],
    ['login method', loginMethod, '', 'PLAIN'],
    ['login method', loginMethod, 'external', 'EXTERNAL'],
    ['login method', loginMethod, 'KERBEROS', refused],
    ['JSON array', jsonArray, ' ["{entry}", 1, {"a": null}] ', ['{entry}', 1, { a: null }]],
    ['JSON array', jsonArray, '{}', refused],
    ['JSON array', jsonArray, '[1,]', refused],
    ['JSON array', jsonArray, '', refused],
    ['JSON object', jsonObject, '{"a": [1]}', { a: [1] }],
    ['JSON object', jsonObject, '[]', refused],
    ['JSON object', jsonObject, 'null', refused],
    ['networks', networks, '', []],
    [
      'networks',
      networks,
      '192.0.2.1, ::1,10.0.0.0/8 , 2001:db8::/32',
      ['192.0.2.1', '::1', '10.0.0.0/8', '2001:db8::/32'],
    ],
    ...['localhost', '10.0.0.0/33', '127.1', '2001:db8::/129', '10.0.0.0/', '*', '192.0.2.1:80'].map(
      (text): [string, Kind<unknown>, string, unknown] => ['networks', networks, text, refused],
    ),
    ['TLS levels', tlsLevels, '', {}],
    [
      'TLS levels',
      tlsLevels,
      'Old.Example.com=1, 192.0.2.1=0,[2001:DB8::1]=2',
      { 'old.example.com': 1, '192.0.2.1': 0, '[2001:db8::1]': 2 },
    ],
    ...['1', 'a', 'a=3', 'a=', '=0', '*=0', '*.a=0', 'a:8443=0', 'https://a=0', 'a/b=0', 'u@a=0', 'a=0=1'].map(
      (text): [string, Kind<unknown>, string, unknown] => ['TLS levels', tlsLevels, text, refused],
    ),
    ['URL prefix', urlPrefix, '', ''],
    ['URL prefix', urlPrefix, '/streamer/', '/streamer/'],
    ['URL prefix', urlPrefix, 'streamer/', '/streamer/'],
    ['URL prefix', urlPrefix, 'http://h/streamer/', refused],
    ['URL prefix', urlPrefix, '/a?b', refused],
    ['path', path('file'), '/a/../b', '/b'],
    ['path', path('file'), 'x', resolve('x')],
    ['path', path('file'), ' ', refused],
    ['path', path('folder'), '/a /', refused],
  ];
  it.each(cases)('%s: %p %s', (_, kind, text, value) => {
    expect(read(kind, text)).toEqual(value);
  });

  const shown: [Kind<number>, number, string][] = [
    [size, 0, '0 B'],
    [size, 1536, '1536 B'],
    [size, 1024 ** 2, '1 MiB'],
    [size, 1000, '1000 B'],
    [wait(0), 6050, '6.05 s'],
    [age, 86_400_000, '86400 s'],
  ];
  it.each(shown)('shows %p %d as %s', (kind, value, text) => {
    expect(kind.format(value)).toBe(text);
  });

  it('reads what it shows', () => {
    fc.assert(fc.property(fc.nat(2 ** 40), (bytes) => read(size, size.format(bytes)) === bytes));
    fc.assert(fc.property(fc.nat(10 ** 9), (ms) => read(wait(0), wait(0).format(ms)) === ms));
  });
});
