import assert from 'node:assert/strict';
import { decompress, SUFFIXES } from '../../../src/repositories/decompress.ts';
import type { Target } from '../engine/target.ts';
import { asyncly, chunkingsOf } from '../invariants/chunkings.ts';
import { type Outcome, outcomeOfAsync } from '../invariants/outcome.ts';

/** Of what is unpacked, the bytes that are compared. */
const LARGEST = 1 << 16;

const unpack = async (name: string, pieces: readonly Buffer[]): Promise<string> => {
  const found: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of decompress(name, asyncly(pieces))) {
    size += chunk.length;
    if (size <= LARGEST) found.push(chunk);
  }
  return `${size}:${Buffer.concat(found).toString('latin1')}`;
};

/** Where a decoder notices a mistake may depend on the pieces; that there is one may not. */
const resultOf = (outcome: Outcome<string>): string | undefined => ('error' in outcome ? undefined : outcome.result);

/** The smallest file of each format that holds "a", but for lzma and zst, in which it is empty. */
const TOKENS: readonly (readonly number[])[] = [
  [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 4, 0, 0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0],
  [0x28, 0xb5, 0x2f, 0xfd, 0x24, 0, 1, 0, 0, 0x99, 0xe9, 0xd8, 0x51],
  [0x5a, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 1],
  [0x59, 0x5a],
  [0x42, 0x5a, 0x68, 0x39],
  [0x31, 0x41, 0x59, 0x26, 0x53, 0x59],
  [0x17, 0x72, 0x45, 0x38, 0x50, 0x90],
  [0x5d, 0, 0, 0x80, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0, 0, 0, 0],
];

export const target: Target = {
  about: 'compressed files: gz, xz, zst, bz2, lzma',
  tokens: TOKENS.map((bytes) => Buffer.from(bytes).toString('latin1')),
  check: async (input) => {
    for (const suffix of SUFFIXES.filter(Boolean)) {
      let first: string | undefined | null = null;
      for (const pieces of chunkingsOf(input)) {
        const result = resultOf(await outcomeOfAsync(() => unpack(`a${suffix}`, pieces), Error));
        if (first !== null) assert.equal(result, first, `${suffix}: another result in other pieces`);
        first = result;
      }
      if (input.length === 0) assert.equal(first, undefined, 'reads a file of no bytes');
    }
  },
};
