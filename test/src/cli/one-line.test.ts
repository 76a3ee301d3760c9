import { describe, expect, it } from '@jest/globals';
import { oneLine, row } from '../../../src/cli/one-line.ts';

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
