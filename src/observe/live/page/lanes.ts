import { saySource } from '../model/format.ts';
import type { Stream } from '../model/stream.ts';
import { CLIENT, type Mark } from '../model/wire.ts';
import { proofOf } from '../model/words.ts';
import { label, type Pen } from './pen.ts';

/** Pixels of a lane, and above the first one. */
export const LANE = 22;
export const TOP = 11;

/** The part of the picture that shows one stream: times from `from` to `now`, between two columns. */
export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly from: number;
  readonly now: number;
  /** Milliseconds that one marble stands for. */
  readonly unit: number;
  /** Sources that cool down. */
  readonly cooling: ReadonlySet<string>;
  /** Pixels for the names of lanes, at their left. */
  readonly labels: number;
}

export const laneCount = (stream: Stream): number => 1 + Math.max(1, shownLanes(stream));

/** Sources that were not needed are not shown once all is over. */
const shownLanes = ({ lanes, marks, facts }: Stream): number =>
  facts.outcome === undefined ? lanes.length : Math.max(0, ...marks.map(({ lane }) => lane + 1));

/** Draws the lanes of a stream: the client's, then one for each source. */
export const drawLanes = (pen: Pen, stream: Stream, frame: Frame): void => {
  const { facts, lanes, marks } = stream;
  const x = (at: number) => frame.left + ((at - frame.from) / (frame.now - frame.from)) * (frame.right - frame.left);
  const y = (lane: number) => frame.top + TOP + (lane + 1) * LANE + LANE / 2;
  const seen = (at: number) => at >= frame.from;
  const edge = Math.max(x(facts.began), frame.left);

  pen.clip(frame.left - 10, frame.top, frame.right + 12, frame.top + laneCount(stream) * LANE + 2 * TOP);
  drawValve(pen, stream, frame, x, y(CLIENT));
  for (const [index, name] of lanes.slice(0, laneCount(stream) - 1).entries()) {
    const tried = marks.some(({ lane, kind }) => lane === index && kind !== 'end');
    if (!tried) pen.dots(edge, Math.min(frame.right, x(facts.ended ?? frame.now)), y(index), 'edge');
    const asked = marks.findLast(({ lane }) => lane === index);
    if (asked?.kind === 'attempt' && facts.outcome === undefined) {
      pen.dots(Math.max(frame.left, x(asked.at)), frame.right, y(index), 'slow');
      if (x(asked.at) < frame.right - 90)
        pen.text('no head so far', Math.max(frame.left, x(asked.at)), y(index) + 12, 'muted');
    }
    if (!tried && frame.cooling.has(name)) pen.text('cooling down, tried last', edge + 6, y(index) - 1, 'muted');
  }
  drawMarbles(pen, stream, frame, x, y);
  for (const [index, mark] of marks.entries()) {
    if (mark.kind === 'failed') drawCurve(pen, marks.slice(index + 1), mark, x, y, frame);
  }
  for (const mark of marks) if (seen(mark.at)) drawMark(pen, stream, mark, x(mark.at), y(mark.lane), frame);
  pen.unclip();

  pen.text('client', frame.left - 12, y(CLIENT), 'muted', 'right');
  for (const [index, name] of lanes.slice(0, laneCount(stream) - 1).entries()) {
    const width = frame.labels;
    pen.text(label(pen, saySource(name), width), frame.left - 12, y(index), 'muted', 'right');
  }
};

/** A thick line while the client's valve is open, dots while it is closed. */
const drawValve = (pen: Pen, { facts, closed, marks }: Stream, frame: Frame, x: (at: number) => number, y: number) => {
  const head = marks.find(({ kind }) => kind === 'head')?.at ?? facts.ended ?? frame.now;
  const end = facts.ended ?? frame.now;
  const start = Math.max(facts.began, frame.from);
  if (end < frame.from) return;
  if (head > start) pen.dots(x(start), x(Math.min(head, end)), y, 'muted');
  let open = Math.max(head, frame.from);
  for (const [second, milliseconds] of closed) {
    const until = Math.min(end, second + 1000);
    const from = Math.max(open, until - milliseconds);
    if (until <= open) continue;
    if (from > open) pen.line(x(open), x(from), y, 'ink', 2.4);
    pen.dots(x(from), x(until), y, 'slow');
    open = until;
  }
  if (end > open) pen.line(x(open), x(end), y, 'ink', 2.4);
};

/** Circles whose area is in proportion to the bytes of the largest one that is seen. */
const drawMarbles = (
  pen: Pen,
  { bytes, lanes, marks, facts }: Stream,
  { from, now, unit, left, right }: Frame,
  x: (at: number) => number,
  y: (lane: number) => number,
) => {
  const sums = new Map<string, { readonly at: number; readonly lane: number; bytes: number }>();
  let most = 1;
  for (const [second, lane, count] of bytes) {
    if (second < from - unit) continue;
    const at = Math.floor(second / unit) * unit;
    const key = `${at} ${lane}`;
    const sum = sums.get(key) ?? { at, lane, bytes: 0 };
    sum.bytes += count;
    sums.set(key, sum);
    most = Math.max(most, sum.bytes);
  }
  const widest = Math.min(8, Math.max(3, ((right - left) * unit) / (now - from) / 2.3));
  for (const { at, lane, bytes: sum } of sums.values()) {
    // Bytes come neither before the lane's turn nor after its end.
    const own = marks.filter((mark) => mark.lane === lane && mark.at >= at && mark.at < at + unit);
    const start = own.find(({ kind }) => kind === 'head' || kind === 'resumed')?.at ?? Math.max(at, facts.began);
    const end = own.findLast(({ kind }) => kind === 'failed')?.at ?? Math.min(at + unit, facts.ended ?? now);
    const centre = (start + Math.max(start, end)) / 2;
    const radius = Math.max(1.5, widest * Math.sqrt(sum / most));
    pen.circle(x(centre), y(lane), radius, pen.laneColour(lane, lanes[lane] ?? ''));
  }
};

/** From a failure to the lane that continues. */
const drawCurve = (
  pen: Pen,
  later: readonly Mark[],
  failed: Mark,
  x: (at: number) => number,
  y: (lane: number) => number,
  { from }: Frame,
) => {
  const next = later.find(({ kind }) => kind === 'resumed' || kind === 'head');
  if (!next || next.lane === failed.lane || next.lane === CLIENT || next.at < from) return;
  pen.curve(x(failed.at), y(failed.lane), x(next.at), y(next.lane));
};

const drawMark = (pen: Pen, stream: Stream, mark: Mark, x: number, y: number, { right, top }: Frame) => {
  const { kind, lane, text = '', from } = mark;
  const colour = lane === CLIENT ? 'ink' : pen.laneColour(lane, stream.lanes[lane] ?? '');
  const client = top + TOP + LANE / 2;
  if (kind === 'head') {
    pen.diamond(x, y, colour);
    pen.diamond(x, client, 'ink');
  } else if (kind === 'resumed') pen.diamond(x, y, colour);
  else if (kind === 'failed') {
    pen.cross(x, y);
    pen.beside([`${text}${from === undefined ? '' : ` at ${from.toLocaleString('en')}`}`, text], x, y, right, 'bad');
  } else if (kind === 'on-disk') pen.text('waits on disk', x + 4, client - 9, 'muted');
  else if (kind === 'end') {
    const end = stream.facts.outcome === 'complete' ? 'good' : stream.facts.outcome === 'failed' ? 'bad' : 'muted';
    pen.bar(x, client, end);
    if (lane === CLIENT) return;
    if (end !== 'bad') pen.bar(x, y, end);
    const recorded = stream.marks.some((one) => one.kind === 'recorded') ? 'save requested' : '';
    const proof = proofOf(stream);
    pen.beside(
      [[proof, recorded].filter(Boolean).join(' · '), proof || recorded],
      x,
      y,
      right,
      end === 'good' ? 'good' : 'muted',
    );
  }
};
