import { isOnDisk, lanesOf, sayOnDisk } from '../model/disk.ts';
import { saySource } from '../model/format.ts';
import type { Stream } from '../model/stream.ts';
import { CLIENT, type Mark, type MarkKind } from '../model/wire.ts';
import { type Frame, LANE, TOP } from './frame.ts';
import { drawMark, drawPast } from './marks.ts';
import { label, type Pen } from './pen.ts';

export const laneCount = (stream: Stream, now: number, all?: boolean): number =>
  1 + Math.max(1, lanesOf(stream, now, all).length);

/** Draws the lanes of a stream: the client's, that of its copy, then one for each source. */
export const drawLanes = (pen: Pen, stream: Stream, frame: Frame): void => {
  const { facts, lanes, marks } = stream;
  const shown = lanesOf(stream, frame.now, frame.all);
  const x = (at: number) => frame.left + ((at - frame.from) / (frame.now - frame.from)) * (frame.right - frame.left);
  const y = (lane: number) => frame.top + TOP + (shown.indexOf(lane) + 1) * LANE + LANE / 2;
  const isShown = ({ at, lane }: Mark) => at >= frame.from && (lane === CLIENT || shown.includes(lane));
  const edge = Math.max(x(facts.began), frame.left);

  pen.clip(frame.left - 10, frame.top, frame.right + 12, frame.top + (1 + shown.length) * LANE + 2 * TOP);
  drawValve(pen, stream, frame, x, y(CLIENT));
  for (const index of shown) {
    const name = lanes[index] ?? '';
    if (isOnDisk(name)) {
      drawLags(pen, stream, index, frame, x, y(index));
      continue;
    }
    const tried = marks.some(({ lane, kind }) => lane === index && kind !== 'end');
    if (!tried) pen.dots(edge, Math.min(frame.right, x(facts.ended ?? frame.now)), y(index), 'edge');
    const asked = marks.findLast(({ lane }) => lane === index);
    if (asked?.kind === 'attempt' && facts.outcome === undefined) {
      pen.dots(Math.max(frame.left, x(asked.at)), frame.right, y(index), 'slow');
      if (x(asked.at) < frame.right - 90)
        pen.text('no head so far', Math.max(frame.left, x(asked.at)), y(index) + 12, 'muted');
    }
    if (!tried && edge < frame.right) pen.textWithin(untriedOf(name, frame), edge + 6, y(index) - 8, frame, 'muted');
  }
  drawMarbles(pen, stream, shown, frame, x, y);
  for (const [index, mark] of marks.entries()) {
    if (mark.kind === 'failed') drawCurve(pen, marks.slice(index + 1), mark, x, y, frame);
  }
  const placed = { stream, shown, frame, x, y };
  for (const index of shown) drawPast(pen, placed, index);
  for (const mark of marks) if (isShown(mark)) drawMark(pen, placed, mark);
  pen.unclip();

  pen.text('client', frame.left - 12, y(CLIENT), 'muted', 'right');
  for (const index of shown) {
    const name = lanes[index] ?? '';
    const text = isOnDisk(name) ? sayOnDisk(stream, name) : saySource(name);
    pen.text(label(pen, text, frame.labels), frame.left - 12, y(index), 'muted', 'right');
  }
};

const untriedOf = (name: string, { cooling }: Frame): string =>
  cooling.has(name) ? 'cools down, tried last' : 'not needed so far';

/** Dots while the disk or the store is behind. */
const drawLags = (
  pen: Pen,
  { marks, facts }: Stream,
  lane: number,
  frame: Frame,
  x: (at: number) => number,
  y: number,
) => {
  const own = marks.filter((mark) => mark.lane === lane);
  for (const [index, { kind, at }] of own.entries()) {
    if (kind !== 'lags') continue;
    const end = own[index + 1]?.at ?? facts.ended ?? frame.now;
    pen.dots(Math.max(frame.left, x(at)), Math.min(frame.right, x(end)), y, 'slow');
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

/** After these marks a lane has no more bytes. */
const LAST: ReadonlySet<MarkKind> = new Set(['failed', 'whole', 'kept', 'there', 'given-up']);

/** Circles whose area is in proportion to the bytes of the largest one that is seen. */
const drawMarbles = (
  pen: Pen,
  { bytes, lanes, marks, facts }: Stream,
  shown: readonly number[],
  { from, now, unit, left, right }: Frame,
  x: (at: number) => number,
  y: (lane: number) => number,
) => {
  const sums = new Map<string, { readonly at: number; readonly lane: number; bytes: number }>();
  let most = 1;
  for (const [second, lane, count] of bytes) {
    if (second < from - unit || !shown.includes(lane)) continue;
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
    const end = own.findLast(({ kind }) => LAST.has(kind))?.at ?? Math.min(at + unit, facts.ended ?? now);
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
