import { describe, expect, it } from '@jest/globals';
import { toBase } from '../../../src/catalog/import.ts';

describe('a base', () => {
  it('is a URL with a slash at its end, or a folder', () => {
    expect(toBase('http://h/debian')).toBe('http://h/debian/');
    expect(toBase('https://h:8443/a%20b//')).toBe('https://h:8443/a%20b/');
    expect(toBase('/srv/a b%/')).toBe('file:///srv/a%20b%25/');
    expect(toBase('file:///srv/x')).toBe('file:///srv/x/');
  });

  for (const [text, message] of [
    ['http://', "'http://' is not a URL"],
    ['http://u:secret@h/', 'h: the URL must not contain credentials, expected --username and --password-file'],
    [
      'http://h/?token=1',
      "'http://h/?***': a repository URL must not contain ? or #; a token that each request needs is --query-token",
    ],
    ['ftp://h/zoo', "'ftp://h/zoo': ftp: is not supported, expected http:, https:, file: or a folder"],
  ] as const) {
    it(`is not ${text}`, () => {
      expect(() => toBase(text)).toThrow(message);
    });
  }
});
