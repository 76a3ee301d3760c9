import type { ChecksumAlgorithm } from './entry.ts';

/** An incremental digest. */
export interface Digest {
  /** Takes the next bytes. */
  update(bytes: Uint8Array): void;
  /** An independent digest of the same bytes; both can be continued. */
  copy(): Digest;
  /** The lower-case hexadecimal digest. The object cannot be used afterwards. */
  hex(): string;
}

/** Begins a digest. */
export type NewDigest = (algorithm: ChecksumAlgorithm) => Digest;
