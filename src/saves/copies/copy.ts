import type { BigIntStats } from 'node:fs';
import type { Checksum } from '../../../pipelines/model/index.ts';

/** A file under its final name. It gets the name only when complete. */
export interface Copy {
  readonly key: string;
  readonly path: string;
  readonly stats: BigIntStats;
  /** The checksum that its content must match. */
  readonly checksum: Checksum;
  /** The catalog has no checksum. Only the first transfer's header fields describe the bytes. */
  readonly bare: boolean;
}
