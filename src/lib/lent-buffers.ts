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

/**
 * The most buffers of each size, of all connections and files together, that are lent while a
 * smaller one will do. So clients that read nothing, each of which holds one, get small ones.
 */
const MOST = [Number.POSITIVE_INFINITY, 64, 16, 32] as const;
/**
 * The most unused buffers of each size. Of the smallest ones, in one turn of the event loop thousands of slow
 * clients release and need many: those that were dropped in between remain in the process as garbage.
 */
const UNUSED = [Number.POSITIVE_INFINITY, 64, 16, 32] as const;
/** Milliseconds after which buffers that were not needed for as long take no memory. */
const IDLE = 1_000;
/**
 * The smallest ones, of which there are many, stay this many times as long: as garbage they remain in
 * the process for a while, in addition to new ones.
 */
const LOOKS = 10;

/**
 * Overwrites released memory, so that a late reader gets wrong bytes: for tests, which set
 * POISON_LENT_BUFFERS.
 */
const POISON = process.env.POISON_LENT_BUFFERS === undefined ? undefined : 0xdb;

const unused: readonly Lent[][] = [[], [], [], []];
/** Their least number since the last look: that many were not needed. They are at the bottom. */
const surplus = [0, 0, 0, 0];
/** The buffers of each size, if their number is limited: lent and unused ones. */
const alive = [0, 0, 0, 0];
const count = (level: Level, change: number): void => {
  alive[level] = (alive[level] ?? 0) + change;
};

/** A buffer that was not released is collected as garbage. */
const collected = new FinalizationRegistry<Level>((level) => count(level, -1));

/**
 * A buffer and how many hold it. The limited sizes are resizable: the system gives them memory of
 * their own when they are lent, and has it back as soon as they shrink. What is only collected as
 * garbage stays in the process for long.
 */
class Lent implements Loan {
  readonly memory: ArrayBuffer;
  readonly #level: Level;
  holders = 1;

  constructor(level: Level) {
    const size = SIZES[level];
    this.memory = level === 0 ? new ArrayBuffer(size) : new ArrayBuffer(size, { maxByteLength: size });
    this.#level = level;
    lent.set(this.memory, this);
    if (level === 0) return;
    count(level, 1);
    collected.register(this.memory, level, this);
  }

  retain(): void {
    this.holders += 1;
  }

  release(): void {
    this.holders -= 1;
    if (this.holders > 0) return;
    if (POISON !== undefined) new Uint8Array(this.memory).fill(POISON);
    const others = unused[this.#level];
    if (!others || others.length >= UNUSED[this.#level]) this.drop();
    else {
      others.push(this);
      lookLater();
    }
  }

  /** Takes memory again. */
  wake(): void {
    if (this.memory.byteLength === 0) this.memory.resize(SIZES[this.#level]);
  }

  /** Takes no memory until it wakes. */
  sleep(): void {
    if (this.memory.byteLength > 0) this.memory.resize(0);
  }

  /** Leaves it to the collector. */
  drop(): void {
    if (!collected.unregister(this)) return;
    count(this.#level, -1);
    this.sleep();
  }
}

let looksLater = false;
let looks = 0;

const lookLater = (): void => {
  if (!looksLater) setTimeout(useLess, IDLE).unref();
  looksLater = true;
};

const useLess = (): void => {
  looksLater = false;
  looks += 1;
  unused.forEach((buffers, level) => {
    const least = surplus[level] ?? 0;
    if (level > 0) for (const one of buffers.slice(0, least)) one.sleep();
    else if (looks % LOOKS === 0) buffers.splice(0, least);
    if (level > 0 || looks % LOOKS === 0) surplus[level] = buffers.length;
    if (buffers.some(({ memory }) => memory.byteLength > 0)) lookLater();
  });
};

const lent = new WeakMap<ArrayBufferLike, Lent>();

/**
 * Lends a buffer of a size, or of a smaller one if there are too many of it, but not below `least`.
 * The caller holds it until it calls `release`. Then it is lent again, and its bytes change.
 */
export const lend = (level: Level, least: Level = 0): Buffer => {
  let affordable = level;
  while (affordable > least && !isAffordable(affordable)) affordable = (affordable - 1) as Level;
  const others = unused[affordable];
  const found = others?.pop() ?? new Lent(affordable);
  surplus[affordable] = Math.min(surplus[affordable] ?? 0, others?.length ?? 0);
  found.holders = 1;
  found.wake();
  return Buffer.from(found.memory);
};

const isAffordable = (level: Level): boolean => (unused[level]?.length ?? 0) > 0 || (alive[level] ?? 0) < MOST[level];

/** Bytes of the limited sizes that are lent, and of all sizes that wait unused. */
export const bufferBytes = (): { readonly lent: number; readonly unused: number } => {
  const sum = (all: readonly number[]) => all.reduce((a, b) => a + b, 0);
  return {
    lent: sum(
      alive.map((count, level) => (level === 0 ? 0 : (count - (unused[level]?.length ?? 0)) * (SIZES[level] ?? 0))),
    ),
    unused: sum(unused.flat().map(({ memory }) => memory.byteLength)),
  };
};

/** The loan of the memory that bytes lie in; undefined if it is not lent. */
export const loanOf = ({ buffer }: Uint8Array): Loan | undefined => lent.get(buffer);

/** Whether nobody but the caller holds the memory that bytes lie in. */
export const isMine = ({ buffer }: Uint8Array): boolean => lent.get(buffer)?.holders === 1;
