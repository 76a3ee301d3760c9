import { copyWord, isOnDisk, lanesOf, sayOnDisk } from '../../observe/live/model/disk.ts';
import { sayBytes, saySource, shortPath } from '../../observe/live/model/format.ts';
import type { Stream } from '../../observe/live/model/stream.ts';
import { CLIENT, COPY, type MarkKind } from '../../observe/live/model/wire.ts';
import { proofOf, wordOf } from '../../observe/live/model/words.ts';
import { oneLine } from '../one-line.ts';
import { cut, type Paint } from './paint.ts';

/** Columns of the names of lanes, and of the words at the right. */
export const NAMES = 18;
export const WORDS = 26;
/** Blocks for the bytes of a column, relative to the largest one. */
const BLOCKS = '▁▂▃▄▅▆▇█';
const SIGNS: Partial<Readonly<Record<MarkKind, string>>> = {
  ...{ head: '◆', failed: '✕', resumed: '◆', end: '┃' },
  ...{ whole: '┃', kept: '┃', there: '┃', 'given-up': '✕' },
};

interface Picture {
  readonly now: number;
  readonly span: number;
  readonly width: number;
  readonly paint: Paint;
}

/** A stream as lines: what it is, and its lanes. */
export const streamLines = (stream: Stream, { now, span, width, paint }: Picture): string[] => {
  const { facts, lanes, marks } = stream;
  const word = wordOf(stream, now, span);
  const column = (at: number) => Math.floor(((at - (now - span)) / span) * width);
  const client = facts.client ? ` · ${oneLine(facts.client)}` : '';
  const size = sayBytes(facts.length ?? facts.sent);
  const title = shortPath(oneLine(facts.path), NAMES + width - size.length - client.length - 4);
  const first = `${paint('bold', title)}${paint('dim', ` ${size}${client}`)}`;
  const gap = ' '.repeat(Math.max(1, NAMES + width + 1 - title.length - size.length - client.length - 1));
  const lines = [`${first}${gap}${paint(word.tone, cut(word.text, WORDS))}`];
  const lanesShown = lanesOf(stream, now).filter((lane) => marks.some((one) => one.lane === lane));
  for (const lane of [CLIENT, ...lanesShown]) {
    const cells = lane === CLIENT ? clientCells(stream, now, width, column) : sourceCells(stream, lane, width, column);
    for (const { kind, at, lane: own } of marks) {
      const sign = SIGNS[kind];
      const shows = own === lane || (lane === CLIENT && (kind === 'head' || kind === 'end'));
      const place = Math.min(width - 1, column(at));
      if (sign && shows && place >= 0) cells[place] = sign;
    }
    const name = nameOf(stream, lane);
    const failure = marks.findLast((one) => one.lane === lane && one.kind === 'failed')?.text ?? '';
    const disk = lanes[lane] === COPY ? oneLine(copyWord(stream)) : '';
    const isIll = failure !== '' || (disk !== '' && (facts.copy === 'given-up' || facts.behind !== undefined));
    const note = lane === CLIENT ? proofOf(stream) : failure || disk;
    const picture = paint(lane === CLIENT ? 'calm' : isIll ? 'slow' : 'busy', cells.join(''));
    const words = paint(lane !== CLIENT && isIll ? 'bad' : 'dim', cut(note, WORDS));
    lines.push(`${paint('dim', cut(name, NAMES - 2).padStart(NAMES - 1))} ${picture} ${words}`.trimEnd());
  }
  return lines;
};

const nameOf = (stream: Stream, lane: number): string => {
  const name = stream.lanes[lane] ?? '';
  if (lane === CLIENT) return 'client';
  return isOnDisk(name) ? sayOnDisk(stream, name) : oneLine(saySource(name));
};

/** A line while the client takes bytes, dots while it does not. */
const clientCells = (
  { facts, closed, marks }: Stream,
  now: number,
  width: number,
  column: (at: number) => number,
): string[] => {
  const cells = Array.from({ length: width }, () => ' ');
  const head = marks.find(({ kind }) => kind === 'head')?.at ?? facts.ended ?? now;
  const fill = (from: number, until: number, sign: string) => {
    for (let at = Math.max(0, column(from)); at < Math.min(width, column(until) + 1); at += 1) cells[at] = sign;
  };
  fill(facts.began, head, '.');
  fill(head, facts.ended ?? now, '━');
  for (const [second, milliseconds] of closed) if (milliseconds > 500) fill(second, second + 999, '·');
  return cells;
};

const sourceCells = ({ bytes }: Stream, lane: number, width: number, column: (at: number) => number): string[] => {
  const sums = Array.from({ length: width }, () => 0);
  for (const [second, own, count] of bytes) {
    if (own !== lane) continue;
    // A second may be wider than a column, or narrower.
    const last = Math.min(width - 1, Math.max(column(second), column(second + 1000) - 1));
    for (let at = Math.max(0, column(second)); at <= last; at += 1) sums[at] = (sums[at] ?? 0) + count;
  }
  const most = Math.max(1, ...sums);
  return sums.map((sum) => (sum === 0 ? ' ' : (BLOCKS[Math.ceil((sum / most) * BLOCKS.length) - 1] ?? ' ')));
};
