import { describe, expect, it } from '@jest/globals';
import { trimSlashes } from '../../../src/lib/trim-slashes.ts';

const MANY = '/'.repeat(2 ** 20);

describe('trimSlashes', () => {
  it.each([
    ['/a//', '/a'],
    ['/a/b', '/a/b'],
    ['//', ''],
    ['', ''],
  ])('of %j is %j', (text, trimmed) => expect(trimSlashes(text)).toBe(trimmed));

  // The regular expression for it needed 10 minutes.
  it('passes slashes in the middle once', () => expect(trimSlashes(`a${MANY}b${MANY}`)).toBe(`a${MANY}b`));
});
