import type { BigIntStats } from 'node:fs';
import type { Checksum } from '../../../pipelines/model/index.ts';

/** A file under its final name: whole when it got there. */
export interface Copy {
  readonly key: string;
  readonly path: string;
  readonly stats: BigIntStats;
  /** What its content must match. */
  readonly checksum: Checksum;
  /** The catalog has no checksum of it: nothing but what its transfer said tells what the bytes are. */
  readonly bare: boolean;
}
