import { describe, expect, it } from '@jest/globals';
import { adjoined, type ByteRange, type Part, piecesOf, resolveRange, sizeOf } from '../../../pipelines/model/index.ts';

const PARTS = [
  { first: 10, last: 12 },
  { first: 20, last: 20 },
  { first: 30, last: 33 },
] as const;

describe('parts of content', () => {
  it('have the size of all their bytes', () => {
    expect(sizeOf(PARTS)).toBe(8);
    expect(sizeOf([])).toBe(0);
  });

  it('are as one part that begins with the first', () => {
    expect(adjoined([...PARTS])).toEqual({ first: 10, last: 17 });
    expect(adjoined([{ first: 7, last: 7 }])).toEqual({ first: 7, last: 7 });
  });

  it.each<[Part, Part[]]>([
    [{ first: 10, last: 17 }, [...PARTS]],
    [{ first: 10, last: 12 }, [PARTS[0]]],
    [{ first: 11, last: 13 }, [{ first: 11, last: 12 }, PARTS[1]]],
    [{ first: 13, last: 13 }, [PARTS[1]]],
    [{ first: 14, last: 14 }, [{ first: 30, last: 30 }]],
    [{ first: 12, last: 15 }, [{ first: 12, last: 12 }, PARTS[1], { first: 30, last: 31 }]],
  ])('have in %j of that these pieces: %j', (piece, pieces) => expect(piecesOf([...PARTS], piece)).toEqual(pieces));
});

describe('a range', () => {
  it.each<[ByteRange, number, Part | undefined]>([
    [{ first: 0 }, 10, { first: 0, last: 9 }],
    [{ first: 9 }, 10, { first: 9, last: 9 }],
    [{ first: 10 }, 10, undefined],
    [{ first: 2, last: 3 }, 10, { first: 2, last: 3 }],
    [{ first: 2, last: 2 }, 10, { first: 2, last: 2 }],
    [{ first: 2, last: 99 }, 10, { first: 2, last: 9 }],
    [{ first: -3 }, 10, { first: 7, last: 9 }],
    [{ first: -99 }, 10, { first: 0, last: 9 }],
    [{ first: 0 }, 0, undefined],
    [{ first: -1 }, 0, undefined],
  ])('%j of %d bytes is %j', (range, length, part) => expect(resolveRange(range, length)).toEqual(part));
});
