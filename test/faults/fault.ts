import type { Random } from './random.ts';

/** The feed writes, and chunks a body without a length, in pieces of this size. */
export const PIECE = 16 * 1024;

export const WHERE = ['before the head', 'in the head', 'first byte', 'chunk border', 'middle', 'last byte'] as const;

/**
 * The place of an event in a response. `at` is a byte of the whole content, without meaning before
 * and in the head.
 */
export interface Place {
  readonly where: (typeof WHERE)[number];
  readonly at: number;
}

export const BREAKS = ['reset', 'early end', 'stall', 'trickle', 'truncated TLS'] as const;

/** The fault of one response of a feed. */
export type Fault =
  | { readonly kind: (typeof BREAKS)[number]; readonly place: Place }
  /** Always breaks this number of bytes after the requested start. */
  | { readonly kind: 'wears out'; readonly after: number }
  | { readonly kind: 'wrong length'; readonly by: number }
  | { readonly kind: 'extra bytes'; readonly count: number }
  /** `late`: all bytes come in time, but the end of the body is delayed. */
  | { readonly kind: 'wrong bytes'; readonly place: Place; readonly late?: boolean }
  | { readonly kind: 'gzip unasked' | 'redirect loop' | 'endless head' | 'not HTTP' }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  /** Faults of answers to a range; other answers are good. */
  | {
      readonly kind:
        | '200 to a range'
        | 'wrong Content-Range'
        | 'wrong total'
        | 'changed entity tag'
        | 'lying part'
        | 'another file';
    };

/** The name in a table. */
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

/** The place of an existing byte. */
const onByte = (size: number, random: Random): Place => {
  const { where, at } = placeOf(random.pick(WHERE.slice(2)), size, random);
  return { where, at: Math.min(at, Math.max(0, size - 1)) };
};

const AFTER = ['0', '1', '3600', 'Wed, 21 Oct 2065 07:28:00 GMT', 'soon'];

/** Faults that show without a checksum: the response breaks, or is recognizably not the file. */
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

/** The most bytes by which a source sends more than the content. */
export const MOST_EXTRA = 5_000;

/** Faults that only the catalog's size or checksum reveals. */
export const anyLie = (size: number, random: Random): Fault =>
  random.weighed<() => Fault>([
    [3, () => ({ kind: 'wrong bytes', place: onByte(size, random) })],
    [1, () => ({ kind: 'wrong length', by: random.pick([-1, 1, 1000, -Math.ceil(size / 2)]) })],
    [1, () => ({ kind: 'extra bytes', count: random.whole(1, MOST_EXTRA) })],
    [1, () => ({ kind: 'gzip unasked' })],
    [1, () => ({ kind: 'wrong total' })],
    [1, () => ({ kind: 'lying part' })],
  ])();

/** Kinds that apply only after a broken response. */
const OF_PARTS: readonly Fault['kind'][] = [
  '200 to a range',
  'wrong Content-Range',
  'wrong total',
  'changed entity tag',
  'lying part',
];

/** A fault as a script of responses: one that concerns parts comes after a break mid-body. */
export const asScript = (fault: Fault, size: number, random: Random): readonly Fault[] =>
  OF_PARTS.includes(fault.kind)
    ? [{ kind: 'reset', place: placeOf(random.pick(WHERE.slice(2)), size, random) }, fault]
    : [fault];
