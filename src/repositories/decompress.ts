import { createGunzip } from 'node:zlib';
import { messageOf } from '../lib/thrown.ts';
import { BoundExceeded, unpackedBound } from './bounds.ts';
import { makeCounter } from './count.ts';
import { slicesOf } from './slices.ts';
import { through } from './through.ts';
import { unzstd } from './zstd.ts';

type Bytes = AsyncIterable<Uint8Array>;

async function* gunzip(bytes: Bytes): AsyncGenerator<Uint8Array> {
  const decoder = createGunzip();
  const counter = makeCounter();
  yield* through(counter.through(bytes), decoder);
  const [read, size] = [decoder.bytesWritten, counter.size()];
  if (read < size) throw new Error(`ends after ${read} of ${size} bytes`);
}

/** Bytes of memory for a dictionary of 128 MiB. */
const MEMORY = 160 * 1024 ** 2;

/** What is used of `lzma-native`; its published types differ from what it takes. */
interface Liblzma {
  createStream(
    coder: 'autoDecoder',
    options: { readonly memlimit: number; readonly flags: number; readonly writableHighWaterMark: number },
  ): NodeJS.ReadWriteStream;
}

/** Loaded only when it is needed: it is native code. */
const loadLiblzma = async (): Promise<Liblzma> => (await import('lzma-native')).default as unknown as Liblzma;

/**
 * LZMA_CONCATENATED of liblzma's `container.h`: of xz, zeros may follow, and more streams; after LZMA
 * alone, nothing. Without it the decoder ends with the first, and leaves what is written afterwards
 * unanswered for ever.
 */
const CONCATENATED = 8;

/**
 * Compressed bytes that liblzma gets at once. It does not wait for its consumer, and joins what was
 * written until then: of these it may make 30 MiB.
 */
const LITTLE = 4096;
const OPTIONS = { memlimit: MEMORY, writableHighWaterMark: LITTLE, flags: CONCATENATED };

async function* little(bytes: Bytes): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) yield* slicesOf(chunk, LITTLE);
}

/** xz and LZMA alone, told apart by their content. liblzma knows every check and filter. */
async function* unxz(bytes: Bytes): AsyncGenerator<Uint8Array> {
  const { createStream } = await loadLiblzma();
  try {
    yield* through(little(bytes), createStream('autoDecoder', OPTIONS));
  } catch (error) {
    // liblzma's own words are "No progress is possible".
    throw Object(error).name === 'LZMA_BUF_ERROR' ? new Error(CUT, { cause: error }) : error;
  }
}

const CUT = 'ends within a stream';

/** Bytes that one chunk may become: the decoder does not wait for its consumer. */
const AT_ONCE = 128 * 1024 ** 2;

async function* bunzip2(bytes: Bytes): AsyncGenerator<Uint8Array> {
  const { default: makeDecoder } = await import('unbzip2-stream');
  const decoder = makeDecoder();
  let unpacked: Uint8Array[] = [];
  let size = 0;
  let failure: unknown;
  decoder.on('data', (chunk: Uint8Array) => {
    size += chunk.byteLength;
    if (size > AT_ONCE) throw new BoundExceeded(`more than ${AT_ONCE} bytes from one chunk`);
    unpacked.push(chunk);
  });
  decoder.on('error', (error: unknown) => {
    // It reads on after the last byte, and fails with a TypeError.
    failure ??= error instanceof TypeError ? new Error(CUT) : error;
  });
  function* taken(): Generator<Uint8Array> {
    yield* unpacked;
    unpacked = [];
    size = 0;
    if (failure !== undefined) throw failure;
  }
  const counter = makeCounter();
  for await (const chunk of counter.through(bytes)) {
    decoder.write(Buffer.from(chunk));
    yield* taken();
  }
  // Without a byte it would succeed.
  if (counter.size() === 0) throw new Error('has no stream');
  decoder.end();
  yield* taken();
}

const DECOMPRESSORS: ReadonlyMap<string, (bytes: Bytes) => Bytes> = new Map([
  ['xz', unxz],
  ['zst', unzstd],
  ['gz', gunzip],
  ['bz2', bunzip2],
  ['lzma', unxz],
]);

/** The supported compressions, best first. The last is plain text. */
export const SUFFIXES = ['.xz', '.zst', '.gz', '.bz2', '.lzma', ''] as const;

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
  const packed = makeCounter();
  let unpacked = 0;
  try {
    for await (const chunk of decompressor ? decompressor(packed.through(bytes)) : bytes) {
      unpacked += chunk.byteLength;
      const bound = unpackedBound(packed.size(), stated);
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
