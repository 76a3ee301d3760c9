import type { Head } from '../model/index.ts';

/** The most bytes of a part that another source must repeat before it continues the part. */
const BOUNDARY = 4096;

/** The last bytes of a part so far: what a source that continues it has to repeat. */
export type Tail = Uint8Array;

/**
 * The tail after more bytes. None for the whole, which its digest proves, and for content without a
 * checksum, which no other source may continue.
 */
export const tailAfter = (
  head: Pick<Head, 'whole' | 'candidate'> | undefined,
  tail: Tail | undefined,
  bytes: Uint8Array,
): Tail | undefined => {
  if (!head || head.whole || !head.candidate.entry.checksum) return undefined;
  // The bytes may be lent, so they are copied. `slice` would not copy those of a Buffer.
  if (!tail || bytes.length >= BOUNDARY) return new Uint8Array(bytes.subarray(-BOUNDARY));
  const kept = tail.subarray(Math.max(0, tail.length + bytes.length - BOUNDARY));
  const next = new Uint8Array(kept.length + bytes.length);
  next.set(kept);
  next.set(bytes, kept.length);
  return next;
};

/** Whether bytes are those of the tail from a position on. */
export const matches = (tail: Tail, position: number, bytes: Uint8Array): boolean =>
  bytes.every((byte, at) => byte === tail[position + at]);
