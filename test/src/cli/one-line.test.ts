import { describe, expect, it } from '@jest/globals';
import { asJson, oneLine, row } from '../../../src/cli/one-line.ts';

describe('oneLine', () => {
  it('leaves nothing that moves a cursor, breaks a line or changes the direction of what follows', () => {
    expect(oneLine('a\u001b[2J\u009b1mb\r\n\tc\u2028\u2029\u202ed\u2066e\u200ff')).not.toMatch(
      /[\p{Cc}\p{Zl}\p{Zp}\u200e-\u200f\u202a-\u202e\u2066-\u2069]/u,
    );
    expect(oneLine('zoß-1.0~β\u00a0(日本).rpm')).toBe('zoß-1.0~β\u00a0(日本).rpm');
  });

  it('is done to each field of a row, so that its tabs are the only ones', () => {
    expect(row(['a\tb', 7, 'c\n'])).toBe('a\ufffdb\t7\tc\ufffd\n');
  });
});

describe('asJson', () => {
  it('escapes what oneLine replaces, and stays the same value', () => {
    const value = { path: 'a\u001b[2J\u009b1mb\u007f\u2028\u202ed\n', 'k\u0085': ['zoß'] };
    for (const space of [undefined, 2]) {
      const json = asJson(value, space);
      expect(json).not.toMatch(/[^\P{Cc}\n]|[\u2028\u202e]/u);
      expect(JSON.parse(json)).toEqual(value);
    }
  });
});
