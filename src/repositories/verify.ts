import { createHash } from 'node:crypto';
import type { Checksum, ChecksumAlgorithm } from '../../pipelines/model/index.ts';
import { BoundExceeded } from './bounds.ts';
import type { Expected } from './format.ts';

/** Counts and hashes the bytes that pass. */
export interface Meter {
  through(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
  /** The result. Call it once, at the end. */
  read(): { readonly checksum: Checksum; readonly size: number };
}

export const makeMeter = (algorithm: ChecksumAlgorithm = 'sha256'): Meter => {
  const hash = createHash(algorithm);
  let size = 0;
  return {
    through: async function* (bytes) {
      for await (const chunk of bytes) {
        hash.update(chunk);
        size += chunk.byteLength;
        yield chunk;
      }
    },
    read: () => ({ checksum: { algorithm, value: hash.digest('hex') }, size }),
  };
};

const check = (name: string, found: { checksum: Checksum; size: number }, expected: Expected): void => {
  const { checksum, size } = expected;
  if (checksum && checksum.value !== found.checksum.value) {
    throw new Error(`${name}: expected ${checksum.algorithm} ${checksum.value}, found ${found.checksum.value}`);
  }
  if (size !== undefined && size !== found.size) {
    throw new Error(`${name}: expected ${size} bytes, found ${found.size}`);
  }
};

/**
 * Parses bytes while it verifies them. The whole file is read, even if the parser stops early or
 * fails. A wrong digest takes precedence over a parser error, and a failure of the source over
 * both. Only a BoundExceeded ends the reading at once.
 */
export async function* parseVerified<T>(
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  expected: Expected,
  parse: (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const meter = makeMeter(expected.checksum?.algorithm);
  const source = meter.through(bytes);
  let sourceFailure: { readonly error: unknown } | undefined;
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    try {
      return await source.next();
    } catch (error) {
      sourceFailure ??= { error };
      throw error;
    }
  };
  let parserFailure: { readonly error: unknown } | undefined;
  try {
    try {
      // Without `return`, so that the rest can still be read after the parser stops early.
      yield* parse({ [Symbol.asyncIterator]: () => ({ next }) });
    } catch (error) {
      if (error instanceof BoundExceeded) throw error;
      parserFailure = { error };
    }
    if (sourceFailure) throw sourceFailure.error;
    while (!(await source.next()).done);
    check(name, meter.read(), expected);
    if (parserFailure) throw parserFailure.error;
  } finally {
    await source.return(undefined);
  }
}
