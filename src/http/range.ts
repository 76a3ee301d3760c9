import { type ByteRange, membersOf, trimBlanks } from '../../pipelines/model/index.ts';

/** The most ranges of one request that are served. Package managers ask for up to 256 (zchunk). */
const MOST = 256;

/** Stands for a number that is larger than any content. */
const BEYOND = Number.MAX_SAFE_INTEGER;

/**
 * The ranges of a `Range` header, in its order. Empty if there is no header, its unit is not bytes,
 * it is malformed or it has more than 256 ranges. The header is then ignored (RFC 9110 section
 * 14.2).
 */
export const rangesOf = (header: string | undefined): readonly ByteRange[] => {
  const set = /^bytes=(.*)$/i.exec(trimBlanks(header ?? ''))?.[1];
  if (set === undefined) return [];
  const ranges = membersOf(set).map(rangeOf);
  const valid = ranges.filter((range) => range !== undefined);
  return valid.length === ranges.length && valid.length <= MOST ? valid : [];
};

const rangeOf = (spec: string): ByteRange | undefined => {
  const [, first, last] = /^(\d*)-(\d*)$/.exec(spec) ?? [];
  if (first === undefined || last === undefined || spec === '-') return undefined;
  // The last 0 bytes: never satisfiable, whatever the length.
  if (first === '') return { first: -numberOf(last) || BEYOND };
  if (last === '') return { first: numberOf(first) };
  const range = { first: numberOf(first), last: numberOf(last) };
  return range.first <= range.last ? range : undefined;
};

const numberOf = (digits: string): number => Math.min(Number(digits), BEYOND);
