import { createCipheriv, createHash } from 'node:crypto';
import type { RequestListener, ServerResponse } from 'node:http';

/** Content that is made as it is needed: a file of any size that is never anywhere as a whole. */
export interface Generated {
  readonly size: number;
  /** The bytes of one block; the last may be shorter. */
  block(index: number): Buffer;
}

export const BLOCK = 64 * 1024;

/** Pseudo-random by its seed. Every block bears its number, so that a lost, doubled or misplaced one is seen. */
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

/** Bytes that an answer has handed to the kernel: what a connection takes, and not one more, is asked for. */
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
  response.on('drain', more);
  more();
};

/** Serves generated contents by path, as fast as it is let; `note` is told how much it got rid of. */
export const serveGenerated =
  (contents: ReadonlyMap<string, Generated>, note: (path: string, bytes: number) => void = () => {}): RequestListener =>
  (request, response) => {
    const path = request.url ?? '';
    const content = contents.get(path);
    if (!content) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Length': content.size });
    return send(response, content, (bytes) => note(path, bytes));
  };
