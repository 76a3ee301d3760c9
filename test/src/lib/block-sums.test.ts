import { crc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BLOCK, matchingBytes, sameSums, sumBlocks } from '../../../src/lib/block-sums.ts';
import { someBytes } from '../../support/collect.ts';

const sumsOf = (...pieces: readonly Uint8Array[]) => {
  const summer = sumBlocks();
  for (const piece of pieces) summer.update(piece);
  return summer.sums();
};

const content = someBytes(3 * BLOCK + 100);
const sums = sumsOf(content);

describe('the sums of blocks', () => {
  it('are those of each block, the last of which may be shorter', () => {
    const blocks = [0, 1, 2, 3].map((at) => crc32(content.subarray(at * BLOCK, (at + 1) * BLOCK)));
    expect(sums).toEqual({ length: content.length, crc32: Uint32Array.from(blocks) });
    expect(sumsOf()).toEqual({ length: 0, crc32: new Uint32Array() });
    expect(sumsOf(content.subarray(0, BLOCK))).toEqual({ length: BLOCK, crc32: Uint32Array.of(blocks[0]!) });
  });

  it('do not depend on the pieces in which content arrives', () => {
    const border = fc.oneof(fc.nat(content.length), fc.constantFrom(BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK));
    fc.assert(
      fc.property(fc.array(border, { maxLength: 8 }), (borders) => {
        const all = [0, ...borders.toSorted((a, b) => a - b), content.length];
        expect(sumsOf(...all.slice(1).map((end, at) => content.subarray(all[at], end)))).toEqual(sums);
      }),
    );
  });

  it('are the same only for the same content', () => {
    expect(sameSums(sums, sumsOf(content))).toBe(true);
    expect(sameSums(sums, sumsOf(content.subarray(0, 3 * BLOCK)))).toBe(false);
    expect(sameSums(sumsOf(content.subarray(0, 3 * BLOCK)), sums)).toBe(false);
    expect(sameSums(sums, sumsOf(content.map((byte, at) => (at === BLOCK ? byte ^ 1 : byte))))).toBe(false);
  });
});

describe('bytes that are compared with the sums', () => {
  const flipped = (at: number): Buffer => {
    const bytes = Buffer.from(content);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    return bytes;
  };

  it('match up to the block with the first wrong one', () => {
    expect(matchingBytes(content, 0, sums)).toBe(content.length);
    for (const at of [0, BLOCK - 1, BLOCK, 2 * BLOCK + 7, 3 * BLOCK - 1, 3 * BLOCK, content.length - 1])
      expect(matchingBytes(flipped(at), 0, sums)).toBe(at - (at % BLOCK));
  });

  it('may begin at any block', () => {
    expect(matchingBytes(content.subarray(BLOCK, 3 * BLOCK), BLOCK, sums)).toBe(2 * BLOCK);
    expect(matchingBytes(flipped(2 * BLOCK).subarray(BLOCK), BLOCK, sums)).toBe(BLOCK);
    expect(matchingBytes(content.subarray(BLOCK), 0, sums)).toBe(0);
  });

  it('do not match if there are more or fewer than were summed', () => {
    expect(matchingBytes(content.subarray(0, -1), 0, sums)).toBe(3 * BLOCK);
    expect(matchingBytes(Buffer.concat([content, someBytes(BLOCK)]), 0, sums)).toBe(3 * BLOCK);
    expect(matchingBytes(someBytes(1), 4 * BLOCK, sums)).toBe(0);
  });
});
