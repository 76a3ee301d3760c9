import { describe, expect, it } from '@jest/globals';
import { cameByHttp10 } from '../../../src/http/via.ts';

describe('a hop over HTTP/1.0', () => {
  it.each([
    '1.0 a',
    'HTTP/1.0 a',
    'http/1.0 a',
    '1.1 a, 1.0 b',
    '1.0 a, 1.1 b',
    '1.1 a (it says "1.1, 1.1"),1.0\tb:3128 (squid)',
    '1.1 a (of (two) parts \\), still), 1.0 b',
    '0.9 a',
    '  1.0   a',
    '1.1 a (left open, 1.0 b',
    '1.1 a ((left) open, 1.0 b',
    '1.1 a) (b) \\(c, 1.0 d',
  ])('is found in %j', (via) => {
    expect(cameByHttp10(via)).toBe(true);
  });

  it.each([
    '',
    '1.1 a',
    '2.0 a, 1.1 b (1.0 c)',
    '1.1 a (b, 1.0 c)',
    '1.1 a (b (c, 1.0 d), 1.0 e)',
    'ICAP/1.0 a',
    '1.1 1.0',
    '11.0 a',
    '1.01 a',
    ',,',
  ])('is not found in %j', (via) => {
    expect(cameByHttp10(via)).toBe(false);
  });

  // Took a second for the 16 KB of a head, and the square of it for more.
  it('is looked for in one pass, however deep comments are nested', () => {
    const depth = 2 ** 19;
    expect(cameByHttp10(`1.1 a ${'('.repeat(depth)}1.0 b${')'.repeat(depth)}`)).toBe(false);
    expect(cameByHttp10(`1.1 a ${'('.repeat(depth)}, 1.0 b`)).toBe(true);
  });
});
