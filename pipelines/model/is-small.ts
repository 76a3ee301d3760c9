import type { CatalogEntry } from './entry.ts';
import type { Policy } from './policy.ts';

/** Whether content is verified as a whole before its head, and its parts are cut from that. */
export const isSmall = (
  { checksum, size = Number.POSITIVE_INFINITY }: Pick<CatalogEntry, 'checksum' | 'size'>,
  { verifyWholeBelow }: Pick<Policy, 'verifyWholeBelow'>,
): boolean => checksum !== undefined && size <= verifyWholeBelow;
