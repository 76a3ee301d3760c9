/** One range of bytes as requested (RFC 9110 section 14.1.2). */
export interface ByteRange {
  /**
   * The first byte, counted from 0. If negative, counted from the end: -500 is the last 500 bytes.
   */
  readonly first: number;
  /** The last byte; absent for all remaining bytes. Never with a negative `first`. */
  readonly last?: number;
}

/** A range within content of a known length. */
export interface Part {
  readonly first: number;
  readonly last: number;
}

/**
 * The bytes of a range in content of this length; nothing if the range is outside it
 * (RFC 9110 section 15.5.17).
 */
export const resolveRange = (
  { first, last = Number.POSITIVE_INFINITY }: ByteRange,
  length: number,
): Part | undefined => {
  const part = { first: first < 0 ? Math.max(0, length + first) : first, last: Math.min(last, length - 1) };
  return part.first <= part.last ? part : undefined;
};
