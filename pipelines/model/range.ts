/** One range of bytes as it is asked for (RFC 9110 section 14.1.2). */
export interface ByteRange {
  /** The first byte, counted from 0; where negative, from the end: -500 begins the last 500 bytes. */
  readonly first: number;
  /** The last byte; absent for all the rest. Never with a negative `first`. */
  readonly last?: number;
}

/** A range within content of a known length. */
export interface Part {
  readonly first: number;
  readonly last: number;
}

/** The bytes that a range means in content of this length; nothing where it has none of them (RFC 9110 section 15.5.17). */
export const resolveRange = (
  { first, last = Number.POSITIVE_INFINITY }: ByteRange,
  length: number,
): Part | undefined => {
  const part = { first: first < 0 ? Math.max(0, length + first) : first, last: Math.min(last, length - 1) };
  return part.first <= part.last ? part : undefined;
};
