import { pipeline } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import xz from 'xz-decompress';
import { messageOf } from '../lib/thrown.ts';

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

/** Decompresses a file in bounded memory. The suffix of its name selects the compression. */
export async function* decompress(name: string, bytes: Bytes): AsyncGenerator<Uint8Array> {
  const suffix = name.slice(name.lastIndexOf('.') + 1);
  const decompressor = DECOMPRESSORS.get(suffix);
  if (!decompressor && !PLAIN.test(name)) {
    throw new Error(`${name}: unknown compression, expected one of ${[...DECOMPRESSORS.keys()].join(', ')} or none`);
  }
  try {
    yield* decompressor ? decompressor(bytes) : bytes;
  } catch (error) {
    throw new Error(`${name}: cannot be decompressed: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
