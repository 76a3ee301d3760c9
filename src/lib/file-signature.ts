import type { BigIntStats } from 'node:fs';

/** A text that changes with any modification of a file, and differs for another file of its name. */
export const signatureOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  `${dev},${ino},${size},${mtimeNs},${ctimeNs}`;
