import { CHECKSUM_ALGORITHMS, type Checksum, type ChecksumAlgorithm } from '../../pipelines/model/entry.ts';
import { OddEntry } from './odd-entry.ts';

const DIGITS: Readonly<Record<ChecksumAlgorithm, number>> = {
  md5: 32,
  sha1: 40,
  sha224: 56,
  sha256: 64,
  sha384: 96,
  sha512: 128,
};

/** The hexadecimal digits of an algorithm's digest. */
export const digitsOf = (algorithm: ChecksumAlgorithm): number => DIGITS[algorithm];

const isAlgorithm = (name: string): name is ChecksumAlgorithm => CHECKSUM_ALGORITHMS.some((known) => known === name);

/**
 * Reads a checksum as metadata spells it: `sha` means SHA-1, and digits may be upper case. Throws
 * an OddEntry that begins with `saidBy` if the text is not a checksum.
 */
export const toChecksum = (type: string, text: string, saidBy?: string): Checksum => {
  const where = saidBy === undefined ? '' : `${saidBy}: `;
  const name = type.trim().toLowerCase();
  const algorithm = name === 'sha' ? 'sha1' : name;
  const value = text.trim().toLowerCase();
  if (!isAlgorithm(algorithm)) {
    throw new OddEntry(`${where}unknown checksum type '${type}', expected one of ${CHECKSUM_ALGORITHMS.join(', ')}`);
  }
  if (!/^[0-9a-f]*$/.test(value) || value.length !== DIGITS[algorithm]) {
    throw new OddEntry(
      `${where}'${text}' is not a valid ${algorithm} checksum, expected ${DIGITS[algorithm]} hexadecimal digits`,
    );
  }
  return { algorithm, value };
};

/** Reads a checksum as operators write it: `sha256:0123…`. */
export const parseChecksum = (text: string): Checksum => {
  const colon = text.indexOf(':');
  if (colon < 0) throw new Error(`'${text}' is not a checksum, expected ALGORITHM:DIGITS such as sha256:0123…`);
  return toChecksum(text.slice(0, colon), text.slice(colon + 1));
};
