import { pipeline } from 'node:stream';

/** Bytes through a stream. */
export const through = (
  bytes: AsyncIterable<Uint8Array>,
  transform: NodeJS.ReadWriteStream,
): AsyncIterable<Uint8Array> =>
  // No callback needed: the consumer of the iterator receives the error.
  pipeline(bytes, transform, () => {}) as unknown as AsyncIterable<Uint8Array>;
