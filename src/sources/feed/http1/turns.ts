/**
 * Milliseconds for which connections with more to read may read on in one turn of the event loop, all together. In so
 * long a turn each of them reads megabytes out of memory that the processor's caches have.
 */
const SLICE = 5;

/** Connections that wait until they may read on, in order. */
const waiting: (() => void)[] = [];
let isDue = false;
/** When the first connection in this turn had more to read. */
let began: number | undefined;

const expectNext = (): void => {
  if (!isDue) setImmediate(begin);
  isDue = true;
};

const begin = (): void => {
  isDue = false;
  began = undefined;
  waiting.shift()?.();
  if (waiting.length > 0) expectNext();
};

/**
 * Whether a connection that has more to read must leave the rest of the turn to others. The system would read on, up
 * to 32 times for each connection. All others wait meanwhile, new ones above all: a turn accepts one.
 */
export const isTurnOver = (): boolean => {
  const now = performance.now();
  began ??= now;
  expectNext();
  return now - began >= SLICE;
};

/** Calls `resume` in a later turn: one in each turn, in the order of the calls. */
export const awaitTurn = (resume: () => void): void => {
  waiting.push(resume);
  expectNext();
};
