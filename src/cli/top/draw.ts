import { copyWord, isOnDisk, lanesOf, sayOnDisk } from '../../observe/live/model/disk.ts';
import { sayBytes, sayCount, sayRate, saySource, sayTime, shortPath } from '../../observe/live/model/format.ts';
import { orderOf } from '../../observe/live/model/order.ts';
import type { LiveState } from '../../observe/live/model/state.ts';
import type { Stream } from '../../observe/live/model/stream.ts';
import { CLIENT, COPY, type MarkKind } from '../../observe/live/model/wire.ts';
import { proofOf, type Tone, wordOf } from '../../observe/live/model/words.ts';
import { oneLine } from '../one-line.ts';

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Whether colours are used. */
  readonly coloured: boolean;
  /** Milliseconds that are seen. */
  readonly span: number;
  readonly onlyEventful: boolean;
  /** Ids of the streams shown before. */
  readonly shown: readonly string[];
}

export interface Drawn {
  readonly lines: readonly string[];
  readonly shown: readonly string[];
}

const CODES: Readonly<Record<Tone | 'bold' | 'dim', number>> = {
  good: 32,
  busy: 36,
  slow: 33,
  bad: 31,
  calm: 2,
  bold: 1,
  dim: 2,
};

/** Columns of the names of lanes, and of the words at the right. */
const NAMES = 18;
const WORDS = 26;
/** Blocks for the bytes of a column, relative to the largest one. */
const BLOCKS = '▁▂▃▄▅▆▇█';
const SIGNS: Partial<Readonly<Record<MarkKind, string>>> = {
  ...{ head: '◆', failed: '✕', resumed: '◆', end: '┃' },
  ...{ whole: '┃', kept: '┃', there: '┃', 'given-up': '✕' },
};
/** Tiles in the order of `TileValues`: their names, and whether all seconds are summed. */
const TILES: readonly (readonly [name: string, sum: boolean, say: (value: number) => string])[] = [
  ['requests', false, (value) => `${sayCount(Math.round(value))}/s`],
  ['to clients', false, sayRate],
  ['from sources', false, sayRate],
  ['streams', false, sayCount],
  ['paused', false, sayCount],
  ['resumed in 5 min', true, sayCount],
  ['cut in 5 min', true, sayCount],
  ['saves pending', false, sayCount],
];

/** The live page as lines of text, none longer than the screen is wide. */
export const drawScreen = (state: LiveState, screen: Screen): Drawn => {
  const { at: now } = state;
  const { columns, rows, coloured, span, onlyEventful, shown } = screen;
  const paint = (tone: keyof typeof CODES, text: string) =>
    coloured && text !== '' ? `\x1b[${CODES[tone]}m${text}\x1b[0m` : text;
  const width = Math.max(10, columns - NAMES - WORDS - 2);
  const streams = orderOf(state.streams.values(), { now, span, limit: rows, filter: '', onlyEventful, shown });

  const side = state.side;
  const status = side
    ? `${side.ready ? 'ready' : 'not ready'} · up ${sayTime(now - side.process.started)} · ${sayBytes(side.process.memory)}`
    : 'connecting';
  const lines = [`${paint('bold', 'pulp-streamer')} ${paint('dim', cut(status, columns - 14))}`];
  lines.push(...tileLines(state, columns, paint));
  for (const problem of side?.degraded ?? []) lines.push(paint('bad', cut(oneLine(problem), columns)));
  const ill = (side?.sources ?? []).filter((one) => one.state === 'cooling' || one.state === 'trial');
  for (const { name, state: how, code = '', until = now } of ill)
    lines.push(
      paint(
        'bad',
        cut(`${oneLine(saySource(name))} ${how}: ${code}, again in ${sayTime(Math.max(0, until - now))}`, columns),
      ),
    );
  lines.push('');

  const room = rows - 1;
  const used: string[] = [];
  for (const stream of streams) {
    const drawn = streamLines(stream, { now, span, width, paint });
    if (lines.length + drawn.length > room) break;
    lines.push(...drawn, '');
    used.push(stream.id);
  }
  if (streams.length === 0) lines.push(paint('dim', 'no streams'));
  return { lines: lines.slice(0, room), shown: used };
};

type Paint = (tone: keyof typeof CODES, text: string) => string;

const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

const tileLines = ({ tiles }: LiveState, columns: number, paint: Paint): string[] => {
  const lines: string[] = [];
  let line = '';
  let length = 0;
  for (const [index, [name, sums, say]] of TILES.entries()) {
    const last = tiles.slice(sums ? 0 : -3);
    const total = last.reduce((sum, second) => sum + (second[index] ?? 0), 0);
    const value = sums || last.length === 0 ? total : total / last.length;
    const text = `${name} ${say(Math.round(value))}`;
    const alarm = name.startsWith('cut') && value > 0;
    if (length > 0 && length + text.length + 3 > columns) {
      lines.push(line);
      [line, length] = ['', 0];
    }
    line += `${length > 0 ? paint('dim', ' · ') : ''}${alarm ? paint('bad', text) : text}`;
    length += text.length + (length > 0 ? 3 : 0);
  }
  return [...lines, line];
};

interface Picture {
  readonly now: number;
  readonly span: number;
  readonly width: number;
  readonly paint: Paint;
}

const streamLines = (stream: Stream, { now, span, width, paint }: Picture): string[] => {
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
