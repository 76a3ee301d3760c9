import { copyWord, isOnDisk } from '../model/disk.ts';
import { sayTime } from '../model/format.ts';
import type { Stream } from '../model/stream.ts';
import { CLIENT, type Mark, type MarkKind } from '../model/wire.ts';
import { proofOf } from '../model/words.ts';
import { type Frame, LANE, TOP } from './frame.ts';
import type { Pen } from './pen.ts';

/** A stream in its frame: which lanes are shown, and where times and lanes are. */
export interface Placed {
  readonly stream: Stream;
  readonly shown: readonly number[];
  readonly frame: Frame;
  readonly x: (at: number) => number;
  readonly y: (lane: number) => number;
}

/** Draws something that happened to a stream. */
export const drawMark = (pen: Pen, placed: Placed, mark: Mark): void => {
  const { stream, frame, x, y } = placed;
  const { kind, lane, text = '', from, at } = mark;
  const colour = lane === CLIENT ? 'ink' : pen.laneColour(lane, stream.lanes[lane] ?? '');
  const client = frame.top + TOP + LANE / 2;
  const beside = (texts: readonly string[], tone: 'good' | 'slow' | 'bad' | 'muted') =>
    pen.beside(texts, x(at), y(lane), frame, tone);
  if (kind === 'head') {
    pen.diamond(x(at), y(lane), colour);
    pen.diamond(x(at), client, 'ink');
  } else if (kind === 'resumed') pen.diamond(x(at), y(lane), colour);
  else if (kind === 'failed') {
    pen.cross(x(at), y(lane));
    const what = `${text}${from === undefined ? '' : ` at ${from.toLocaleString('en')}`}`;
    const until = frame.cooling.get(stream.lanes[lane] ?? '') ?? 0;
    const cools =
      until > frame.now && isLast(stream, mark) ? [`${what} · cools down for ${sayTime(until - frame.now)}`] : [];
    beside([...cools, what, text], 'bad');
  } else if (kind === 'on-disk') pen.textWithin('waits on disk', x(at) + 4, client - 9, frame, 'muted');
  else if (kind === 'whole') {
    pen.bar(x(at), y(lane), 'good');
    beside(wholeTexts(stream), 'good');
  } else if (kind === 'lags') {
    if (stream.facts.behind !== undefined && isLast(stream, mark)) beside([copyWord(stream)], 'slow');
  } else if (kind === 'given-up') {
    pen.cross(x(at), y(lane));
    beside([copyWord(stream), 'given up'], 'bad');
  } else if (ENDS.has(kind)) {
    const tone = kind === 'kept' || kind === 'there' ? 'good' : 'muted';
    pen.bar(x(at), y(lane), tone);
    beside([copyWord(stream)], tone);
  } else if (kind === 'end') drawEnd(pen, placed, mark);
};

/** Says what a lane has ended with, once its mark is no longer seen. */
export const drawPast = (pen: Pen, { stream, frame, y }: Placed, lane: number): void => {
  const last = stream.marks.findLast((one) => one.lane === lane);
  if (!last || last.at >= frame.from) return;
  const text = last.kind === 'whole' ? wholeTexts(stream)[1] : SETTLED.has(last.kind) ? copyWord(stream) : undefined;
  if (text) pen.textWithin(text, frame.left + 6, y(lane), frame, last.kind === 'given-up' ? 'bad' : 'muted');
};

/** How a copy ends, other than by being given up. */
const ENDS: ReadonlySet<MarkKind> = new Set(['kept', 'there', 'too-large', 'dropped']);

const SETTLED: ReadonlySet<MarkKind> = new Set([...ENDS, 'given-up']);

const isLast = ({ marks }: Stream, { lane, kind, at }: Mark): boolean =>
  marks.findLast((one) => one.lane === lane && one.kind === kind)?.at === at;

/** The source has sent all, long before the client had it. */
const wholeTexts = (stream: Stream): readonly string[] => {
  const { digest } = stream.facts;
  const whole = digest ? `whole, ${digest} right` : 'whole';
  return [`${whole}: the client reads on from disk, the source is free`, `${whole}: the source is free`, whole];
};

const drawEnd = (pen: Pen, { stream, shown, frame, x, y }: Placed, { lane, at }: Mark) => {
  const { facts, lanes, marks } = stream;
  const end = facts.outcome === 'complete' ? 'good' : facts.outcome === 'failed' ? 'bad' : 'muted';
  pen.bar(x(at), frame.top + TOP + LANE / 2, end);
  // A source that was done before has its own bar.
  if (lane === CLIENT || marks.some((one) => one.kind === 'whole' && one.lane === lane)) return;
  if (end !== 'bad') pen.bar(x(at), y(lane), end);
  const hasLane = shown.some((one) => isOnDisk(lanes[one]));
  const kept = (facts.copy === 'kept' || facts.copy === 'there') && !hasLane ? 'copy kept' : '';
  const recorded = marks.some((one) => one.kind === 'recorded') ? 'save requested' : '';
  const proof = proofOf(stream);
  const texts = [[proof, kept, recorded], [proof, kept || recorded], [proof || kept || recorded]];
  const tone = end === 'good' ? 'good' : 'muted';
  pen.beside(
    texts.map((parts) => parts.filter(Boolean).join(' · ')),
    x(at),
    y(lane),
    frame,
    tone,
  );
};
