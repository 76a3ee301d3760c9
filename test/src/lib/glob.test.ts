import { describe, expect, it } from '@jest/globals';
import { matchesGlob } from '../../../src/lib/glob.ts';

describe('matchesGlob', () => {
  it.each([
    ['bear', 'bear', true],
    ['bear', 'bea', false],
    ['bear', 'bears', false],
    ['bear', '*', true],
    ['', '*', true],
    ['', '?', false],
    ['', '', true],
    ['bear', 'b*r', true],
    ['bear', 'b?ar', true],
    ['bear', 'b?r', false],
    ['bear-devel', '*-devel', true],
    ['bear-devel-devel', '*-devel', true],
    ['bear-devel2', '*-devel', false],
    ['libstdc++.x86_64', 'libstdc++.*', true],
    ['a.b', 'a?b', true],
    ['axxb', 'a*?b*', true],
    ['bear', 'bear**', true],
  ])('%j with %j: %j', (text, pattern, expected) => {
    expect(matchesGlob(text, pattern)).toBe(expected);
  });

  it('takes no time for what would have a regular expression go back and forth', () => {
    expect(matchesGlob('a'.repeat(5_000), `${'a*'.repeat(100)}b`)).toBe(false);
  });
});
