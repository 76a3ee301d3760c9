import { createZstdDecompress } from 'node:zlib';
import { through } from './through.ts';

type Bytes = AsyncIterable<Uint8Array>;
type Take = (length: number) => Promise<Buffer>;

const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const DICTIONARY_BYTES = [0, 1, 2, 4];
const RAW_SIZE_BYTES = [0, 2, 4, 8];

/** Takes bytes in exact numbers. */
const takerOf = (bytes: Bytes): { take: Take; ended: () => Promise<boolean> } => {
  const source = bytes[Symbol.asyncIterator]();
  // Joined once there are enough of them: they may come one by one.
  let pieces: Uint8Array[] = [];
  let size = 0;
  const more = async (): Promise<boolean> => {
    const { done, value } = await source.next();
    if (done) return false;
    pieces.push(value);
    size += value.length;
    return true;
  };
  return {
    take: async (length) => {
      while (size < length) if (!(await more())) throw new Error('ends within a frame');
      const [first] = pieces;
      const all =
        first && pieces.length === 1
          ? Buffer.from(first.buffer, first.byteOffset, first.length)
          : Buffer.concat(pieces, size);
      pieces = [all.subarray(length)];
      size -= length;
      return all.subarray(0, length);
    },
    ended: async () => {
      while (size === 0) if (!(await more())) return true;
      return false;
    },
  };
};

/** The bytes of one frame after its magic number (RFC 8878 section 3.1.1). */
async function* frameOf(magic: Buffer, take: Take): AsyncGenerator<Buffer> {
  const descriptor = await take(1);
  const flags = descriptor.readUInt8();
  const single = (flags & 0x20) !== 0;
  const rawSize = RAW_SIZE_BYTES[flags >> 6] || (single ? 1 : 0);
  const header = (single ? 0 : 1) + (DICTIONARY_BYTES[flags & 3] ?? 0) + rawSize;
  yield Buffer.concat([magic, descriptor, await take(header)]);
  for (let last = false; !last; ) {
    const head = await take(3);
    const fields = head.readUIntLE(0, 3);
    last = (fields & 1) !== 0;
    // A block of type 1 is one byte, repeated.
    yield Buffer.concat([head, await take(((fields >> 1) & 3) === 1 ? 1 : fields >> 3)]);
  }
  if ((flags & 4) !== 0) yield await take(4);
}

/**
 * Decompresses any number of frames, skippable ones too. Node's own decompressor ends after the
 * first.
 */
export async function* unzstd(bytes: Bytes): AsyncGenerator<Uint8Array> {
  const { take, ended } = takerOf(bytes);
  do {
    const magic = await take(4);
    const number = magic.readUInt32LE();
    if ((number & 0xfffffff0) >>> 0 === SKIPPABLE) {
      for (let left = (await take(4)).readUInt32LE(); left > 0; ) left -= (await take(Math.min(left, 65_536))).length;
    } else if (number === FRAME) yield* through(frameOf(magic, take), createZstdDecompress());
    else throw new Error('bytes that are not a frame');
  } while (!(await ended()));
}
