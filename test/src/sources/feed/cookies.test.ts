import { describe, expect, it } from '@jest/globals';
import { createCookies } from '../../../../src/sources/feed/cookies.ts';

const FEED = new URL('http://feed.example/repo/a.rpm');

/** What a request gets after an answer that set this. */
const sentAfter = (...fields: readonly string[]): string | undefined => {
  const cookies = createCookies();
  cookies.keep(
    FEED,
    fields.map((value) => ['Set-Cookie', value]),
  );
  return cookies.of(FEED);
};

describe('the cookies of a feed', () => {
  it('come back without the blanks around name and value', () => {
    expect(sentAfter(' a \t= b c ; Path=/')).toBe('a=b c');
    expect(sentAfter('a=b=c')).toBe('a=b=c');
    expect(sentAfter('a=', 'b=1;')).toBe('a=; b=1');
  });

  it('are ignored without a name', () => {
    expect(sentAfter('a', '=b', ';a=b', '', ' ; Path=/')).toBeUndefined();
  });

  // A regular expression needed a time that grew with the cube of the blanks: years for this one.
  it('are read in one pass, whatever blanks they begin with', () => {
    expect(sentAfter(`${' '.repeat(16_000)}a`)).toBeUndefined();
    expect(sentAfter(`${' '.repeat(16_000)}a=b`)).toBe('a=b');
  });
});
