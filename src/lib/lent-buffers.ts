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
 * A kind of buffers. Those of 16 KiB are of two kinds: a few that small requests use again and again, and more that
 * slow clients need.
 */
interface Kind {
  readonly size: number;
  /**
   * The most of them, of all connections and files together, lent and unused, while one of a kind before
   * will do. So clients that read nothing, each of which holds one, get small ones: the smaller, the more there are.
   */
  readonly most: number;
  /** Whether the system has their memory back at once if they are not needed; otherwise the collector has, later. */
  readonly resizable: boolean;
  /** Looks, `IDLE` milliseconds apart, after which those that were not needed take no memory. */
  readonly looks: number;
}

const KINDS: readonly Kind[] = [
  { size: SIZES[0] / 2, most: Number.POSITIVE_INFINITY, resizable: true, looks: 1 },
  { size: SIZES[0], most: 768, resizable: true, looks: 1 },
  { size: SIZES[0], most: 256, resizable: false, looks: 10 },
  { size: SIZES[1], most: 64, resizable: true, looks: 1 },
  { size: SIZES[2], most: 16, resizable: true, looks: 1 },
  { size: SIZES[3], most: 32, resizable: true, looks: 1 },
];
/** The number of the kind that is preferred for a size. */
const preferred = (level: Level): number => level + 2;

/** Milliseconds after which buffers that were not needed for as long take no memory. */
const IDLE = 1_000;

/**
 * Takes memory away as soon as it is released, so that a late reader finds nothing, not even how much there was:
 * for tests, which set POISON_LENT_BUFFERS.
 */
const POISONED = process.env.POISON_LENT_BUFFERS !== undefined;

/** Of each kind. */
class Pool {
  readonly kind: Kind;
  readonly unused: Lent[] = [];
  /** Lent and unused ones. */
  alive = 0;
  /** The least number of unused ones since the last look: that many were not needed. They are at the bottom. */
  surplus = 0;

  constructor(kind: Kind) {
    this.kind = kind;
  }

  get isAffordable(): boolean {
    return this.unused.length > 0 || this.alive < this.kind.most;
  }

  lend(): Lent {
    const found = this.unused.pop() ?? new Lent(this);
    this.surplus = Math.min(this.surplus, this.unused.length);
    found.holders = 1;
    found.wake();
    return found;
  }

  takeBack(one: Lent): void {
    // More were lent than there should be, to readers that no smaller one will do for.
    if (this.alive > this.kind.most) {
      this.#drop([one]);
      return;
    }
    this.unused.push(one);
    lookLater();
  }

  /** The next look. Those go that were not needed since the last one. Returns whether others may have to later. */
  useLess(look: number): boolean {
    const { unused, kind, surplus } = this;
    if (look % kind.looks === 0) {
      // Of an unlimited kind there may be very many.
      if (!kind.resizable || kind.most === Number.POSITIVE_INFINITY) this.#drop(unused.splice(0, surplus));
      else for (const one of unused.slice(0, surplus)) one.sleep();
      this.surplus = unused.length;
    }
    return unused.some(({ memory }) => memory.byteLength > 0);
  }

  /** Leaves them to the collector, without their memory if that is possible. */
  #drop(all: readonly Lent[]): void {
    for (const one of all) {
      one.sleep();
      collected.unregister(one);
      this.alive -= 1;
    }
  }
}

const pools = KINDS.map((kind) => new Pool(kind));
const poolOf = (number: number): Pool => pools[number] as Pool;

/** A buffer that was not released is collected as garbage. */
const collected = new FinalizationRegistry<Pool>((pool) => {
  pool.alive -= 1;
});

/**
 * A buffer and how many hold it. To a resizable one the system gives memory of its own when it is lent, and has it
 * back as soon as it shrinks. What is only collected as garbage stays in the process for long. A view of memory that
 * was given back has no length any more.
 */
class Lent implements Loan {
  readonly memory: ArrayBuffer;
  readonly #pool: Pool;
  holders = 1;

  constructor(pool: Pool) {
    const { size, resizable } = pool.kind;
    this.memory = resizable || POISONED ? new ArrayBuffer(size, { maxByteLength: size }) : new ArrayBuffer(size);
    this.#pool = pool;
    lent.set(this.memory, this);
    pool.alive += 1;
    collected.register(this.memory, pool, this);
  }

  retain(): void {
    this.holders += 1;
  }

  release(): void {
    this.holders -= 1;
    if (this.holders > 0) return;
    if (POISONED) this.sleep();
    this.#pool.takeBack(this);
  }

  /** Takes memory again. */
  wake(): void {
    if (this.memory.byteLength === 0) this.memory.resize(this.#pool.kind.size);
  }

  /** Takes no memory until it wakes. */
  sleep(): void {
    if (this.memory.resizable && this.memory.byteLength > 0) this.memory.resize(0);
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
  for (const pool of pools) if (pool.useLess(looks)) lookLater();
};

const lent = new WeakMap<ArrayBufferLike, Lent>();

/**
 * Lends a buffer of a size, or of a smaller one if there are too many of it, but of `least` bytes. The caller holds it
 * until it calls `release`. Then it is lent again, and its bytes change.
 */
export const lend = (level: Level, least = 0): Buffer => Buffer.from(affordable(level, least).lend().memory);

/** The length of the buffer that would be lent now. */
export const lendable = (level: Level): number => affordable(level, 0).kind.size;

const affordable = (level: Level, least: number): Pool => {
  let number = preferred(level);
  while (number > 0 && poolOf(number - 1).kind.size >= least && !poolOf(number).isAffordable) number -= 1;
  return poolOf(number);
};

/** Bytes that are lent, and that wait unused. */
export const bufferBytes = (): { readonly lent: number; readonly unused: number } => {
  const bytes = { lent: 0, unused: 0 };
  for (const { kind, alive, unused } of pools) {
    bytes.lent += (alive - unused.length) * kind.size;
    for (const { memory } of unused) bytes.unused += memory.byteLength;
  }
  return bytes;
};

/** The loan of the memory that bytes lie in; undefined if it is not lent. */
export const loanOf = ({ buffer }: Uint8Array): Loan | undefined => lent.get(buffer);

/** Whether nobody but the caller holds the memory that bytes lie in. */
export const isMine = ({ buffer }: Uint8Array): boolean => lent.get(buffer)?.holders === 1;
