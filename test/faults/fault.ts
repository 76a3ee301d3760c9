import type { Random } from './random.ts';

/** The feed writes, and chunks a body without a length, in pieces of this size. */
export const PIECE = 16 * 1024;

export const WHERE = ['before the head', 'in the head', 'first byte', 'chunk border', 'middle', 'last byte'] as const;

/** Where in a response something happens: `at` is a byte of the whole content, of no meaning before and in the head. */
export interface Place {
  readonly where: (typeof WHERE)[number];
  readonly at: number;
}

export const BREAKS = ['reset', 'early end', 'stall', 'trickle', 'truncated TLS'] as const;

/** What one response of a feed does wrong. */
export type Fault =
  | { readonly kind: (typeof BREAKS)[number]; readonly place: Place }
  /** Breaks after so many bytes more than were asked for, however often it is asked. */
  | { readonly kind: 'wears out'; readonly after: number }
  | { readonly kind: 'wrong length'; readonly by: number }
  | { readonly kind: 'extra bytes'; readonly count: number }
  /** `late`: whoever hopes for the end has to wait for it, all bytes in hand. */
  | { readonly kind: 'wrong bytes'; readonly place: Place; readonly late?: boolean }
  | { readonly kind: 'gzip unasked' | 'redirect loop' | 'endless head' | 'not HTTP' }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  /** Answers to a range; anything else is answered well. */
  | {
      readonly kind:
        | '200 to a range'
        | 'wrong Content-Range'
        | 'wrong total'
        | 'changed entity tag'
        | 'lying part'
        | 'another file';
    };

/** What a table counts it as. */
export const nameOf = (fault: Fault): string => (fault.kind === 'status' ? `status ${fault.status}` : fault.kind);

export const placeOf = (where: Place['where'], size: number, random: Random): Place => {
  const borders = Math.floor((size - 1) / PIECE);
  const at = {
    'before the head': -1,
    'in the head': -1,
    'first byte': Math.min(size, random.whole(0, 1)),
    'chunk border': borders < 1 ? 0 : PIECE * random.whole(1, borders),
    middle: random.whole(0, size),
    'last byte': Math.max(0, size - random.whole(0, 1)),
  }[where];
  return { where, at };
};

const somewhere = (size: number, random: Random) => placeOf(random.pick(WHERE), size, random);

/** A place that a byte stands at. */
const onByte = (size: number, random: Random): Place => {
  const { where, at } = placeOf(random.pick(WHERE.slice(2)), size, random);
  return { where, at: Math.min(at, Math.max(0, size - 1)) };
};

const AFTER = ['0', '1', '3600', 'Wed, 21 Oct 2065 07:28:00 GMT', 'soon'];

/** What no checksum has to find out: the response breaks, or says itself that it is not the file. */
export const anyHonest = (size: number, random: Random): Fault =>
  random.weighed<() => Fault>([
    [5, () => ({ kind: 'reset', place: somewhere(size, random) })],
    [4, () => ({ kind: 'early end', place: somewhere(size, random) })],
    [1, () => ({ kind: 'stall', place: somewhere(size, random) })],
    [1, () => ({ kind: 'trickle', place: somewhere(size, random) })],
    [2, () => ({ kind: 'truncated TLS', place: somewhere(size, random) })],
    [1, () => ({ kind: 'wears out', after: random.whole(1, PIECE * 4) })],
    [1, () => ({ kind: 'redirect loop' })],
    [1, () => ({ kind: 'endless head' })],
    [1, () => ({ kind: 'not HTTP' })],
    [1, () => ({ kind: 'status', status: 404 })],
    [1, () => ({ kind: 'status', status: random.pick([206, 401, 403, 410, 416, 500, 502]) })],
    [2, () => ({ kind: 'status', status: random.pick([429, 503]), retryAfter: random.pick(AFTER) })],
    [2, () => ({ kind: '200 to a range' })],
    [2, () => ({ kind: 'wrong Content-Range' })],
    [2, () => ({ kind: 'changed entity tag' })],
  ])();

/** What only the catalog's size or checksum can tell from the truth. */
export const anyLie = (size: number, random: Random): Fault =>
  random.weighed<() => Fault>([
    [3, () => ({ kind: 'wrong bytes', place: onByte(size, random) })],
    [1, () => ({ kind: 'wrong length', by: random.pick([-1, 1, 1000, -Math.ceil(size / 2)]) })],
    [1, () => ({ kind: 'extra bytes', count: random.whole(1, 5000) })],
    [1, () => ({ kind: 'gzip unasked' })],
    [1, () => ({ kind: 'wrong total' })],
    [1, () => ({ kind: 'lying part' })],
  ])();

/** Kinds that are of use only once a response was broken off. */
const OF_PARTS: readonly Fault['kind'][] = [
  '200 to a range',
  'wrong Content-Range',
  'wrong total',
  'changed entity tag',
  'lying part',
];

/** A fault as a source meets it: one that concerns parts comes after a break in mid-body. */
export const asScript = (fault: Fault, size: number, random: Random): readonly Fault[] =>
  OF_PARTS.includes(fault.kind)
    ? [{ kind: 'reset', place: placeOf(random.pick(WHERE.slice(2)), size, random) }, fault]
    : [fault];
