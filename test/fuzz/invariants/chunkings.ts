/** Pieces of an input at most: each costs a way through all stages. */
const MOST = 128;

/** The same bytes in pieces of several sizes, down to one byte. Each piece has memory of its own. */
export const chunkingsOf = (bytes: Buffer): readonly (readonly Buffer[])[] => {
  const least = Math.ceil(bytes.length / MOST);
  const sizes = [bytes.length, least, least + 1 + (bytes.length % 7), Math.ceil(bytes.length / 2)];
  return sizes.map((size) => inPieces(bytes, Math.max(1, size)));
};

const inPieces = (bytes: Buffer, size: number): readonly Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, nth) =>
    Buffer.from(bytes.subarray(nth * size, (nth + 1) * size)),
  );

export async function* asyncly(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
