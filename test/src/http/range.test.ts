import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ByteRange, resolveRange } from '../../../pipelines/model/index.ts';
import { rangesOf } from '../../../src/http/range.ts';

const BEYOND = Number.MAX_SAFE_INTEGER;

describe('rangesOf', () => {
  it.each<readonly [header: string, ranges: readonly ByteRange[]]>([
    ['bytes=0-0', [{ first: 0, last: 0 }]],
    ['bytes=5-', [{ first: 5 }]],
    ['bytes=-5', [{ first: -5 }]],
    ['BYTES=1-2', [{ first: 1, last: 2 }]],
    ['bytes= 1-2 , , 4-5,-1', [{ first: 1, last: 2 }, { first: 4, last: 5 }, { first: -1 }]],
    ['bytes=99999999999999999999-', [{ first: BEYOND }]],
    ['bytes=0-99999999999999999999', [{ first: 0, last: BEYOND }]],
    // Empty content has no last 0 bytes.
    ['bytes=-0', [{ first: BEYOND }]],
  ])('reads %s', (header, ranges) => {
    expect(rangesOf(header)).toEqual(ranges);
  });

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=5-4',
    'bytes=a-b',
    'bytes=1-2;3-4',
    'bytes=1-2,x',
    'bytes=--5',
    'bytes=+1-2',
    'bytes=1 - 2',
    'bytes:1-2',
    'items=1-2',
    'bytes=1-2, items=3-4',
    `bytes=${Array.from({ length: 257 }, (_, at) => `${2 * at}-${2 * at}`).join()}`,
  ])('ignores %p', (header) => {
    expect(rangesOf(header)).toEqual([]);
  });

  it('reads as many as a package manager requests', () => {
    expect(rangesOf(`bytes=${Array.from({ length: 256 }, (_, at) => `${2 * at}-${2 * at}`).join()}`)).toHaveLength(256);
  });

  it('never throws, and never reads outside the content', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (text, length) => {
        for (const range of rangesOf(`bytes=${text}`)) {
          const part = resolveRange(range, length);
          if (!part) continue;
          expect(part.first).toBeGreaterThanOrEqual(0);
          expect(part.last).toBeGreaterThanOrEqual(part.first);
          expect(part.last).toBeLessThan(length);
        }
      }),
    );
  });
});
