/** Counts the bytes that pass. */
export interface Counter {
  through(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
  /** The bytes so far. */
  size(): number;
}

export const makeCounter = (): Counter => {
  let size = 0;
  return {
    through: async function* (bytes) {
      for await (const chunk of bytes) {
        size += chunk.byteLength;
        yield chunk;
      }
    },
    size: () => size,
  };
};
