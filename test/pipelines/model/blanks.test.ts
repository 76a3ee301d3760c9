import { describe, expect, it } from '@jest/globals';
import { membersOf, trimBlanks } from '../../../pipelines/model/index.ts';

const MANY = ' \t'.repeat(2 ** 19);

describe('trimBlanks', () => {
  it.each([
    [' \ta \t', 'a'],
    ['a b', 'a b'],
    [' \t', ''],
    ['', ''],
    ['\u00a0a\u00c3\u00a0', '\u00a0a\u00c3\u00a0'],
    ['\u2028a\ufeff', '\u2028a\ufeff'],
  ])('of %j is %j', (text, trimmed) => expect(trimBlanks(text)).toBe(trimmed));

  it('takes a part of a text', () => {
    expect(trimBlanks('a: b , c', 2, 5)).toBe('b');
    expect(trimBlanks('a:   ,', 2, 5)).toBe('');
  });

  // A regular expression would need minutes.
  it('passes blanks in the middle once', () => expect(trimBlanks(`a${MANY}b${MANY}`)).toBe(`a${MANY}b`));
});

describe('membersOf', () => {
  it.each([
    ['a ,\tb', ['a', 'b']],
    [', a,, ,b c,', ['a', 'b c']],
    ['', []],
    ['a\u00a0,\u00a0b', ['a\u00a0', '\u00a0b']],
  ])('of %j are %j', (list, members) => expect(membersOf(list)).toEqual(members));
});
