import { crc32 } from 'node:zlib';
import type { BlockSums } from '../../pipelines/model/index.ts';
import { SIZES } from './lent-buffers.ts';

/**
 * Bytes of a block; the last one may be shorter. A block is checked before any of its bytes leave,
 * so it is what a slow client holds in memory.
 */
export const BLOCK = SIZES[1];

/** Computes the sums of content that arrives in pieces of any size. */
export interface BlockSummer {
  update(bytes: Uint8Array): void;
  /** The sums of everything so far. */
  sums(): BlockSums;
  /** The sum of one block, of its bytes so far. */
  sumOf(block: number): number | undefined;
}

export const sumBlocks = (): BlockSummer => {
  const whole: number[] = [];
  let length = 0;
  let last = 0;

  return {
    update: (bytes) => {
      for (let at = 0; at < bytes.length; ) {
        const size = Math.min(bytes.length - at, BLOCK - (length % BLOCK));
        last = crc32(bytes.subarray(at, at + size), last);
        at += size;
        length += size;
        if (length % BLOCK > 0) continue;
        whole.push(last);
        last = 0;
      }
    },
    sumOf: (block) => whole[block] ?? (block === whole.length && length % BLOCK > 0 ? last : undefined),
    sums: () => ({ length, crc32: Uint32Array.from(length % BLOCK > 0 ? [...whole, last] : whole) }),
  };
};

/** Whether two contents have the same sums. */
export const sameSums = (a: BlockSums, b: BlockSums): boolean =>
  a.length === b.length && a.crc32.every((sum, block) => sum === b.crc32[block]);

/**
 * The number of bytes that match the sums, up to the first block that does not. `bytes` are whole
 * blocks of the content from byte `at` on, the start of one.
 */
export const matchingBytes = (bytes: Uint8Array, at: number, { crc32: sums }: BlockSums): number => {
  for (let start = 0; start < bytes.length; start += BLOCK)
    if (crc32(bytes.subarray(start, start + BLOCK)) !== sums[(at + start) / BLOCK]) return start;
  return bytes.length;
};
