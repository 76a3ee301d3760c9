import { type Cell, type Closed, type Facts, LOOK_BACK, type Mark, type Patch } from './wire.ts';

/** All that is known of one stream. The server and its viewers put it together in the same way. */
export interface Stream {
  readonly id: string;
  facts: Facts;
  readonly lanes: string[];
  readonly marks: Mark[];
  readonly bytes: Cell[];
  readonly closed: Closed[];
}

const NOTHING: Facts = { path: '', began: 0, sent: 0, paused: 0 };
/** Marks of one stream that are remembered: the oldest and the newest. */
const MARKS = 64;
/** Lanes whose present second may still grow. */
const GROWING = 8;

export const emptyStream = (id: string): Stream => ({
  id,
  facts: NOTHING,
  lanes: [],
  marks: [],
  bytes: [],
  closed: [],
});

/** Takes over what is new of a stream, and forgets what nobody can look back to. */
export const applyPatch = (stream: Stream, { facts, lanes, marks, bytes, closed }: Patch, now: number): void => {
  if (facts) stream.facts = withoutNulls({ ...stream.facts, ...facts });
  if (lanes) stream.lanes.push(...lanes);
  if (marks) stream.marks.push(...marks);
  if (stream.marks.length > MARKS) stream.marks.splice(MARKS / 2, stream.marks.length - MARKS);
  for (const cell of bytes ?? []) addBytes(stream.bytes, cell);
  for (const cell of closed ?? []) addClosed(stream.closed, cell);
  forget(stream.bytes, now);
  forget(stream.closed, now);
};

/** The stream as a patch of an empty one. */
export const asPatch = ({ id, facts, lanes, marks, bytes, closed }: Stream): Patch => ({
  id,
  facts,
  lanes,
  marks,
  bytes,
  closed,
});

/** JSON has no `undefined`: a fact that is no longer so comes as `null`. */
const withoutNulls = (facts: Facts): Facts =>
  Object.values(facts).includes(null)
    ? (Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== null)) as unknown as Facts)
    : facts;

const addBytes = (cells: Cell[], cell: Cell): void => {
  const [second, lane, bytes] = cell;
  for (let at = cells.length - 1; at >= Math.max(0, cells.length - GROWING); at -= 1) {
    const known = cells[at];
    if (known?.[0] !== second || known[1] !== lane) continue;
    cells[at] = [second, lane, known[2] + bytes];
    return;
  }
  cells.push(cell);
};

const addClosed = (cells: Closed[], [second, milliseconds]: Closed): void => {
  const last = cells.at(-1);
  if (last?.[0] === second) cells[cells.length - 1] = [second, Math.min(1000, last[1] + milliseconds)];
  else cells.push([second, milliseconds]);
};

const forget = (cells: { readonly 0: number }[], now: number): void => {
  const kept = cells.findIndex((cell) => cell[0] >= now - LOOK_BACK);
  if (kept > 0) (cells as unknown[]).splice(0, kept);
};
