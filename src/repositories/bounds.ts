const MIB = 1024 ** 2;

/** What metadata may make its reader hold or do. All are far above what real repositories have. */
export const BOUNDS = {
  /** Nested XML elements. */
  depth: 64,
  /** Characters of a text, an attribute, a line, or of all fields of a record. */
  text: MIB,
  /** Fields of a record, or attributes of an element. */
  fields: 1024,
  /** Units and files of a repository. */
  items: 5_000_000,
  /** Decompressed bytes of a file, whatever it says of itself. */
  unpacked: 8 * 1024 * MIB,
  /** Decompressed bytes for each compressed one, if the metadata does not state the size … */
  ratio: 250,
  /** … and bytes to which the ratio does not apply. */
  anyRatio: 64 * MIB,
} as const;

/** Metadata exceeds a bound: the rest of it is not read. */
export class BoundExceeded extends Error {
  override readonly name = 'BoundExceeded';
}

/** The decompressed bytes that a file may have after `packed` bytes of it. */
export const unpackedBound = (packed: number, stated: number | undefined): number =>
  Math.min(BOUNDS.unpacked, stated ?? Math.max(BOUNDS.anyRatio, packed * BOUNDS.ratio));
