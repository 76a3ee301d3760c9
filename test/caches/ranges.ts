import type { Random } from '../faults/random.ts';

/** A `Range` field. Without `specs` it has no effect: its unit is not bytes, or it is malformed. */
export interface RangeAsk {
  readonly text: string;
  readonly specs?: readonly Spec[];
}

/**
 * The first and the last byte. Without a first byte, the last N bytes; without a last byte, all bytes
 * to the end.
 */
export type Spec = readonly [first: number | undefined, last: number | undefined];

/** Bytes of content, both ends included. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/**
 * The requested bytes of content of this length, in order of the field (RFC 9110 section 14.1.2).
 */
export const spansOf = ({ specs = [] }: RangeAsk, length: number): readonly Span[] =>
  specs.flatMap(([first, last]) => {
    const span =
      first === undefined
        ? { first: Math.max(0, length - (last ?? 0)), last: length - 1 }
        : { first, last: Math.min(last ?? length - 1, length - 1) };
    return span.first <= span.last ? [span] : [];
  });

const textOf = (specs: readonly Spec[], comma = ','): string =>
  `bytes=${specs.map(([first = '', last = '']) => `${first}-${last}`).join(comma)}`;

const ask = (...specs: readonly Spec[]): RangeAsk => ({ text: textOf(specs), specs });

/** Any range within content of about this length. */
const somewhere = (random: Random, length: number): Spec => {
  const first = random.whole(0, Math.max(0, length - 1));
  const reach = random.weighed([
    [3, 2_000],
    [2, length],
  ]);
  return [first, random.whole(first, Math.max(first, Math.min(length - 1, first + reach)))];
};

/** Several ranges: ascending, descending, in any order, overlapping, adjacent, beyond the end. */
const several = (random: Random, length: number): RangeAsk => {
  const specs = Array.from({ length: random.whole(2, 5) }, () => somewhere(random, length));
  const ascending = specs.toSorted(([a = 0], [b = 0]) => a - b);
  const [[first = 0, last = 0] = []] = specs;
  return random.weighed<() => RangeAsk>([
    [3, () => ask(...ascending)],
    [3, () => ask(...ascending.toReversed())],
    [2, () => ask(...specs)],
    [2, () => ask([first, last], [Math.max(0, last - 5), last + 100])],
    [1, () => ask([first, last], [last + 1, last + 50])],
    [1, () => ask([first, last], [length + 10, length + 20])],
    [1, () => ask([0, 0], [undefined, 1])],
    [1, () => ({ text: textOf(ascending, ', '), specs: ascending })],
    [1, () => ask(...Array.from({ length: 60 }, (_, index): Spec => [index * 7, index * 7 + 2]))],
  ])();
};

/** A `Range` field of every class, for content of about this length. */
export const anyRange = (random: Random, length: number): RangeAsk => {
  const end = Math.max(0, length - 1);
  return random.weighed<() => RangeAsk>([
    [10, () => ask(somewhere(random, length))],
    [4, () => ask([random.whole(0, end), undefined])],
    [3, () => ask([undefined, random.whole(1, Math.max(1, length))])],
    [2, () => ask([0, random.whole(0, end)])],
    [1, () => ask([0, 0])],
    [1, () => ask([end, end])],
    [1, () => ask([0, undefined])],
    [1, () => ask([0, end])],
    [1, () => ask([random.whole(0, end), length + random.whole(0, 5_000)])],
    [1, () => ask([undefined, length + random.whole(1, 50)])],
    [1, () => ask([length, undefined])],
    [1, () => ask([length + random.whole(1, 5_000), undefined])],
    [1, () => ask([undefined, 0])],
    [1, () => ({ text: random.pick(['bytes=9-3', 'bytes=x-', 'lines=1-2', 'bytes=']) })],
    [7, () => several(random, length)],
  ])();
};
