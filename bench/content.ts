import { createHash, type Hash } from 'node:crypto';

/** What all files consist of, apart from their ends: one block, so that the origin costs little. */
const BLOCK = Buffer.alloc(256 * 1024, 'pulp-streamer ');
const TAIL = 4096;

/** The length of a file in bytes, which its name begins with: `4096-node-17`. */
export const sizeOf = (name: string): number => Number.parseInt(name, 10);

/**
 * The content of a file in pieces. Its last 4 KiB repeat its name, so a body that belongs to
 * another file, or that ends early, has the wrong digest.
 */
export function* contentOf(name: string): Generator<Buffer> {
  const size = sizeOf(name);
  for (let left = size - TAIL; left > 0; left -= BLOCK.length) yield BLOCK.subarray(0, left);
  yield Buffer.alloc(Math.min(size, TAIL), `${name} `);
}

/** Hashes of everything before the last 4 KiB, by size. */
const hashes = new Map<number, Hash>();

/** The SHA-256 of a file, in hexadecimal. Only the first file of a size is hashed completely. */
export const digestOf = (name: string): string => {
  const size = sizeOf(name);
  let hash = hashes.get(size);
  if (!hash) {
    hash = createHash('sha256');
    for (let left = size - TAIL; left > 0; left -= BLOCK.length) hash.update(BLOCK.subarray(0, left));
    hashes.set(size, hash);
  }
  return hash
    .copy()
    .update(Buffer.alloc(Math.min(size, TAIL), `${name} `))
    .digest('hex');
};
