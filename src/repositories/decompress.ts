import { pipeline } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import xz from 'xz-decompress';
import { messageOf } from '../lib/thrown.ts';
import { BoundExceeded, unpackedBound } from './bounds.ts';

type Bytes = AsyncIterable<Uint8Array>;

const through = (bytes: Bytes, transform: NodeJS.ReadWriteStream): Bytes =>
  // No callback needed: the consumer of the iterator receives the error.
  pipeline(bytes, transform, () => {}) as unknown as Bytes;

async function* unxz(bytes: Bytes): AsyncGenerator<Uint8Array> {
  const source = bytes[Symbol.asyncIterator]();
  const input = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const step = await source.next();
        if (step.done) controller.close();
        else controller.enqueue(step.value);
      },
    },
    { highWaterMark: 0 },
  );
  yield* new xz.XzReadableStream(input) as unknown as Bytes;
}

const DECOMPRESSORS: ReadonlyMap<string, (bytes: Bytes) => Bytes> = new Map([
  ['xz', unxz],
  ['zst', (bytes: Bytes) => through(bytes, createZstdDecompress())],
  ['gz', (bytes: Bytes) => through(bytes, createGunzip())],
]);

/** The supported compressions, best first. The last is plain text. */
export const SUFFIXES = ['.xz', '.zst', '.gz', ''] as const;

const PLAIN = /\.(xml|txt)$|(^|\/)[^./]+$/;

/**
 * Decompresses a file in bounded memory. The suffix of its name selects the compression. Throws a
 * BoundExceeded if it has more bytes than stated, or far more than compressed ones.
 *
 * @param stated its decompressed size, if known
 */
export async function* decompress(name: string, bytes: Bytes, stated?: number): AsyncGenerator<Uint8Array> {
  const suffix = name.slice(name.lastIndexOf('.') + 1);
  const decompressor = DECOMPRESSORS.get(suffix);
  if (!decompressor && !PLAIN.test(name)) {
    throw new Error(`${name}: unknown compression, expected one of ${[...DECOMPRESSORS.keys()].join(', ')} or none`);
  }
  let packed = 0;
  let unpacked = 0;
  const counted = async function* () {
    for await (const chunk of bytes) {
      packed += chunk.byteLength;
      yield chunk;
    }
  };
  try {
    for await (const chunk of decompressor ? decompressor(counted()) : bytes) {
      unpacked += chunk.byteLength;
      const bound = unpackedBound(packed, stated);
      if (unpacked > bound) throw new BoundExceeded(`${name}: more than ${bound} bytes after decompression`);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof BoundExceeded) throw error;
    throw new Error(`${name}: cannot be decompressed: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
