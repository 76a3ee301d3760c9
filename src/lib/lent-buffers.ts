import type { Loan } from '../../pipelines/model/index.ts';

/**
 * The sizes of buffers in bytes: for a head, for a body, for a long one, for one whose reader has
 * proven to be fast.
 */
export const SIZES = [16 * 1024, 64 * 1024, 256 * 1024, 1024 * 1024] as const;
export type Level = 0 | 1 | 2 | 3;

/** The size of the next read of something long, after `taken` bytes that its reader took without a pause. */
export const levelFor = (taken: number): Level => (taken < PROVEN ? 2 : 3);

/**
 * Bytes that a reader takes without a pause until it counts as fast. The kernel takes less for a
 * client that reads nothing.
 */
const PROVEN = 8 * 1024 * 1024;

/** The most buffers of each of the large sizes, of all connections and files together. */
const BIG = 32;
/** The most unused buffers of each size, and the milliseconds without a loan after which they go. */
const UNUSED = [256, 256, BIG, BIG] as const;
const IDLE = 5_000;

/**
 * Overwrites released memory, so that a late reader gets wrong bytes: for tests, which set
 * POISON_LENT_BUFFERS.
 */
const POISON = process.env.POISON_LENT_BUFFERS === undefined ? undefined : 0xdb;

const unused: readonly Lent[][] = [[], [], [], []];
/** The buffers of each size, if their number is limited. */
const alive = [0, 0, 0, 0];

/** A large buffer that was not released is collected as garbage. */
const collected = new FinalizationRegistry<Level>((level) => {
  alive[level] = (alive[level] ?? 0) - 1;
});

/** A buffer and how many hold it. */
class Lent implements Loan {
  readonly memory: ArrayBuffer;
  readonly #level: Level;
  holders = 1;

  constructor(level: Level) {
    this.memory = new ArrayBuffer(SIZES[level]);
    this.#level = level;
    lent.set(this.memory, this);
    if (level < 2) return;
    alive[level] = (alive[level] ?? 0) + 1;
    collected.register(this.memory, level);
  }

  retain(): void {
    this.holders += 1;
  }

  release(): void {
    this.holders -= 1;
    if (this.holders > 0) return;
    if (POISON !== undefined) new Uint8Array(this.memory).fill(POISON);
    const others = unused[this.#level];
    if (!others || others.length >= UNUSED[this.#level]) return;
    others.push(this);
    idle ??= setTimeout(forget, IDLE).unref();
  }
}

let idle: NodeJS.Timeout | undefined;

const forget = (): void => {
  idle = undefined;
  for (const buffers of unused) buffers.length = 0;
};

const lent = new WeakMap<ArrayBufferLike, Lent>();

/**
 * Lends a buffer of a size, or of the size below if there are too many of a large one. The caller
 * holds it until it calls `release`. Then it is lent again, and its bytes change.
 */
export const lend = (level: Level): Buffer => {
  const affordable = isAffordable(level) ? level : isAffordable(2) ? 2 : 1;
  const found = unused[affordable]?.pop() ?? new Lent(affordable);
  idle?.refresh();
  found.holders = 1;
  return Buffer.from(found.memory);
};

const isAffordable = (level: Level): boolean =>
  level < 2 || (unused[level]?.length ?? 0) > 0 || (alive[level] ?? 0) < BIG;

/** The loan of the memory that bytes lie in; undefined if it is not lent. */
export const loanOf = ({ buffer }: Uint8Array): Loan | undefined => lent.get(buffer);

/** Whether nobody but the caller holds the memory that bytes lie in. */
export const isMine = ({ buffer }: Uint8Array): boolean => lent.get(buffer)?.holders === 1;
