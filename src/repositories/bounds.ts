const MIB = 1024 ** 2;

/** What metadata may make its reader hold or do. All are far above what real repositories have. */
export const BOUNDS = {
  /** Nested XML elements. */
  depth: 64,
  /** Characters of a text, an attribute, a line, or of all fields of a record. */
  text: MIB,
  /** Fields of a record, or attributes of an element. */
  fields: 1024,
  /** Characters of a path. Linux itself takes no longer one. */
  path: 4096,
  /** Characters of what is reported about one unit or file: its path, its key, its checksum. */
  item: 64 * 1024,
  /** Units and files of a repository, those included that are odd and left out. */
  items: 5_000_000,
  /** Bytes of a file that is read as a whole: Release, repomd.xml, treeinfo, a signature … */
  whole: 16 * MIB,
  /** … and the files that it lists. */
  listed: 50_000,
  /** Indices that it lists but does not have: each is asked for, and named in the log. */
  missing: 1000,
  /** Repositories inside a tree. */
  inside: 256,
  /** Bytes of a file as it is fetched, if nothing states its size. */
  fetched: 1024 * MIB,
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

/** As much of a text of others as a message has room for. */
export const shortened = (text: string): string => (text.length > MESSAGE ? `${text.slice(0, MESSAGE)} …` : text);
const MESSAGE = 1000;

/** The decompressed bytes that a file may have after `packed` bytes of it. */
export const unpackedBound = (packed: number, stated: number | undefined): number =>
  Math.min(BOUNDS.unpacked, stated ?? Math.max(BOUNDS.anyRatio, packed * BOUNDS.ratio));
