/** Bytes in pieces of at most `size`, each a view of what it is cut from. */
export function* slicesOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}
