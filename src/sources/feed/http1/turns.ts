/**
 * Milliseconds for which connections with more to read may read on in one turn of the event loop, all together. In so
 * long a turn each of them reads megabytes out of memory that the processor's caches have.
 */
const SLICE = 5;

/** Reads on from a connection. It is what a connection is known by. */
type Resume = () => void;

/** Connections that wait until they may read on, in order. */
const waiting: Resume[] = [];
/** The one whose turn this is. */
let current: Resume | undefined;
/** When the first connection in this turn had more to read. */
let began: number | undefined;
let isDue = false;

const expectNext = (): void => {
  if (!isDue) setImmediate(begin);
  isDue = true;
};

const begin = (): void => {
  isDue = false;
  began = undefined;
  current = waiting.shift();
  current?.();
  // Also after the last one, whose turn must end.
  if (current) expectNext();
};

/**
 * Whether a connection that has more to read must leave the rest of the turn to others. The system would read on, up
 * to 32 times for each connection. All others wait meanwhile, new ones above all: a turn accepts one. If others wait
 * to read on, too, the turn is that of one of them.
 */
export const isTurnOver = (own: Resume): boolean => {
  if (waiting.length > 0 && own !== current) return true;
  const now = performance.now();
  began ??= now;
  expectNext();
  return now - began >= SLICE;
};

/** Calls `resume` in a later turn: one in each turn, in the order of the calls. */
export const awaitTurn = (resume: Resume): void => {
  waiting.push(resume);
  expectNext();
};
