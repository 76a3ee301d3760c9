import { describe, expect, it } from '@jest/globals';
import { challenged } from '../../../../src/sources/feed/challenges.ts';

const MANY = 2 ** 20;
const wanted = (value: string): string | undefined =>
  /it wants (.*), but/.exec(challenged(401, [['WWW-Authenticate', value]]))?.[1];

describe('the schemes of a challenge', () => {
  it.each([
    ['Digest realm="a, Basic b", Negotiate', 'Digest or Negotiate'],
    ['Digest realm="a\\", Basic b", NTLM', 'Digest or NTLM'],
    [' Digest \t realm = "a" , NTLM ', 'Digest or NTLM'],
    ['Digest realm="left open, Basic b', 'Digest'],
    ['Digest realm="left open, Basic b\\', 'Digest'],
  ])('of %s are %s', (value, schemes) => expect(wanted(value)).toBe(schemes));

  // Each took 5 minutes and more while a quote, or a blank, was tried again from every later one.
  it.each([
    ['quotes that are left open', `Digest a=${'"\\'.repeat(MANY / 2)}`, 'Digest'],
    ['escaped quotes', `Digest a="${'\\"'.repeat(MANY / 2)}`, 'Digest'],
    ['blanks after what is no scheme', `Digest, a${' '.repeat(MANY)}=b`, 'Digest'],
  ])('are read in one pass over %s', (_, value, schemes) => expect(wanted(value)).toBe(schemes));
});
