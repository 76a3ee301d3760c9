import { type CatalogEntry, CHECKSUM_ALGORITHMS } from '../../../pipelines/model/index.ts';
import { isRecord } from '../../lib/record.ts';

const isText = (value: unknown): boolean => typeof value === 'string';
const isAlgorithm = (value: unknown): boolean => CHECKSUM_ALGORITHMS.some((one) => one === value);
const isHex = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]+$/.test(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const isChecksum = (value: unknown): boolean => isRecord(value) && isAlgorithm(value.algorithm) && isHex(value.value);

const unless = (absent: unknown, is: (value: unknown) => boolean): boolean => absent === undefined || is(absent);

/**
 * The entry that a row of the outbox has, unless another program wrote another value into it. What
 * deliveries read is checked; the rest is passed on. Without a library, since commands open an
 * outbox, too, and would start later.
 */
export const entryIn = (json: string): CatalogEntry | undefined => {
  const value: unknown = JSON.parse(json);
  const isEntry =
    isRecord(value) &&
    [value.path, value.importerId, value.unitId, value.unitTypeId, value.url].every(isText) &&
    unless(value.root, isText) &&
    unless(value.checksum, isChecksum) &&
    unless(value.size, isCount) &&
    Number.isFinite(value.revision) &&
    isRecord(value.data);
  return isEntry ? (value as unknown as CatalogEntry) : undefined;
};
