import { createCipheriv, createHash } from 'node:crypto';
import type { RequestListener, ServerResponse } from 'node:http';

/** Content that is generated on demand: a file of any size that never exists as a whole. */
export interface Generated {
  readonly size: number;
  /** The bytes of one block; the last may be shorter. */
  block(index: number): Buffer;
}

export const BLOCK = 64 * 1024;

/**
 * Pseudo-random by its seed. Every block contains its number, which reveals lost, doubled or
 * misplaced ones.
 */
export const generate = (seed: number, size: number): Generated => {
  const key = createHash('sha256').update(String(seed)).digest();
  const pattern = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(BLOCK));
  return {
    size,
    block: (index) => {
      const block = Buffer.from(pattern.subarray(0, Math.min(BLOCK, size - index * BLOCK)));
      if (block.length >= 4) block.writeUInt32LE(index);
      return block;
    },
  };
};

const blocksOf = ({ size }: Generated): number => Math.ceil(size / BLOCK);

export const digestOfGenerated = (content: Generated): string => {
  const hash = createHash('sha256');
  for (let index = 0; index < blocksOf(content); index += 1) hash.update(content.block(index));
  return hash.digest('hex');
};

/**
 * Writes only what the kernel accepts, so the requested bytes are exactly those that a connection
 * takes.
 */
const send = (response: ServerResponse, content: Generated, note: (bytes: number) => void): void => {
  let index = 0;
  const more = () => {
    while (!response.destroyed && index < blocksOf(content)) {
      const block = content.block(index);
      index += 1;
      note(block.length);
      if (!response.write(block)) return;
    }
    if (index === blocksOf(content)) response.end();
  };
  // In a turn of its own: 'drain' comes in the same turn while the kernel takes everything, and other
  // connections would wait meanwhile, new ones above all, of which each turn accepts one.
  response.on('drain', () => setImmediate(more));
  more();
};

/**
 * Serves generated contents by path, as fast as the client reads; `note` receives the number of
 * bytes written.
 */
export const serveGenerated =
  (contents: ReadonlyMap<string, Generated>, note: (path: string, bytes: number) => void = () => {}): RequestListener =>
  (request, response) => {
    const path = request.url ?? '';
    const content = contents.get(path);
    if (!content) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Length': content.size });
    return send(response, content, (bytes) => note(path, bytes));
  };
