import type { Checksum } from '../../pipelines/model/entry.ts';
import { StreamError } from '../../pipelines/model/errors.ts';
import { BOUNDS, BoundExceeded } from './bounds.ts';
import { makeMeter } from './verify.ts';

type Bytes = AsyncIterable<Uint8Array>;

// Object stores answer 403 instead of 404 if the client may not list the bucket.
const isMissing = (error: unknown): boolean =>
  error instanceof StreamError && (error.code === 'SOURCE_MISSING' || error.code === 'SOURCE_REFUSED');

/**
 * The bytes of an optional file: `undefined` if the repository does not have it, after a call of
 * `missing` with the reason.
 */
export const openOptional = async (
  bytes: Bytes,
  missing: (reason: unknown) => void = () => {},
): Promise<Bytes | undefined> => {
  const source = bytes[Symbol.asyncIterator]();
  try {
    const first = await source.next();
    return (async function* () {
      try {
        for (let step = first; !step.done; step = await source.next()) yield step.value;
      } finally {
        await source.return?.();
      }
    })();
  } catch (error) {
    if (!isMissing(error)) throw error;
    missing(error);
    return undefined;
  }
};

export interface Snapshot {
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly checksum: Checksum;
  readonly size: number;
}

/** Reads a small text file. Exactly the bytes of this digest and size must be served later. */
export const readText = async (name: string, bytes: Bytes): Promise<Snapshot> => {
  const meter = makeMeter();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of meter.through(bytes)) {
    size += chunk.byteLength;
    if (size > BOUNDS.whole) throw new BoundExceeded(`${name}: longer than ${BOUNDS.whole} bytes`);
    chunks.push(chunk);
  }
  const all = Buffer.concat(chunks);
  return { bytes: all, text: new TextDecoder().decode(all), ...meter.read() };
};
