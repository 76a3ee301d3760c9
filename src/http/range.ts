import type { ByteRange } from '../../pipelines/model/index.ts';

/** Ranges of one request that are served. Package managers ask for up to 256 (zchunk); more than that is a whim. */
const MOST = 256;

/** Stands for a number that is larger than any content. */
const BEYOND = Number.MAX_SAFE_INTEGER;

/**
 * The ranges of a `Range` header, in its order; none where there is no header, where its unit is not bytes, where it is malformed or
 * has more than 256 ranges: it is then as if it were not there (RFC 9110 section 14.2).
 */
export const rangesOf = (header: string | undefined): readonly ByteRange[] => {
  const set = /^bytes=(.*)$/i.exec(header?.trim() ?? '')?.[1];
  if (set === undefined) return [];
  // Empty elements of a list are to be ignored (RFC 9110 section 5.6.1).
  const specs = set.split(',').map((spec) => spec.trim());
  const ranges = specs.filter((spec) => spec !== '').map(rangeOf);
  const valid = ranges.filter((range) => range !== undefined);
  return valid.length === ranges.length && valid.length <= MOST ? valid : [];
};

const rangeOf = (spec: string): ByteRange | undefined => {
  const [, first, last] = /^(\d*)-(\d*)$/.exec(spec) ?? [];
  if (first === undefined || last === undefined || spec === '-') return undefined;
  // The last 0 bytes: there are none, whatever the length.
  if (first === '') return { first: -numberOf(last) || BEYOND };
  if (last === '') return { first: numberOf(first) };
  const range = { first: numberOf(first), last: numberOf(last) };
  return range.first <= range.last ? range : undefined;
};

const numberOf = (digits: string): number => Math.min(Number(digits), BEYOND);
