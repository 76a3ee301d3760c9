import type { ChecksumAlgorithm } from './entry.ts';

/** A digest in the making. */
export interface Digest {
  update(bytes: Uint8Array): void;
  /** Another one that goes on from here; this one goes on as well. */
  copy(): Digest;
  /** The lower-case hexadecimal digest; ends the digest's use. */
  hex(): string;
}

export type NewDigest = (algorithm: ChecksumAlgorithm) => Digest;
