import { describe, expect, it } from '@jest/globals';
import { parseUrl } from '../../../src/lib/url.ts';

describe('a URL as catalogs contain it', () => {
  it.each([
    ['http://h/100%.rpm', 'http://h/100%25.rpm'],
    ['http://h/%zz%4', 'http://h/%25zz%254'],
    ['http://h/a%2Bb%c3%A9', 'http://h/a%2Bb%c3%A9'],
    ['http://h/a\\b\\..\\c', 'http://h/a%5Cb%5C..%5Cc'],
    ['http://h/a b\tc\nd ', 'http://h/a%20b%09c%0Ad%20'],
    ['http://h/é/😀', 'http://h/%C3%A9/%F0%9F%98%80'],
    ['http://h/{a}|"b"^<c>`d`', 'http://h/%7Ba%7D%7C%22b%22%5E%3Cc%3E%60d%60'],
    ["http://h/~a!$&'()*+,;=:@[b]-._", "http://h/~a!$&'()*+,;=:@[b]-._"],
    ['http://h/a;b=1?token=c d%#e', 'http://h/a;b=1?token=c%20d%25#e'],
    ['http://me:p%ss@[::1]:8080/a', 'http://me:p%25ss@[::1]:8080/a'],
    ['http://zoo.exämple/a', 'http://zoo.xn--exmple-cua/a'],
    ['file:///srv/100%/a\\b', 'file:///srv/100%25/a%5Cb'],
  ])('%j is %s', (text, href) => {
    expect(parseUrl(text)?.href).toBe(href);
  });

  it.each(['', 'bear.rpm', '/srv/bear.rpm', 'http://', 'http:\\\\h\\a', 'http://h\\a', ' http://h/a'])(
    '%j is none',
    (text) => {
      expect(parseUrl(text)).toBeUndefined();
    },
  );

  it('may be relative to another one', () => {
    expect(parseUrl('../a\\100%', new URL('http://h/b/c'))?.href).toBe('http://h/a%5C100%25');
  });

  it('has no half characters', () => {
    expect(parseUrl('http://h/\ud800a')?.pathname).toBe('/%EF%BF%BDa');
  });
});
