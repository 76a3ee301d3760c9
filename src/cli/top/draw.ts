import { sayBytes, sayCount, sayRate, saySource, sayTime } from '../../observe/live/model/format.ts';
import { orderOf } from '../../observe/live/model/order.ts';
import type { LiveState } from '../../observe/live/model/state.ts';
import { oneLine } from '../one-line.ts';
import { NAMES, streamLines, WORDS } from './lanes.ts';
import { cut, type Paint, paintIf } from './paint.ts';

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
  ['replaced in 5 min', true, sayCount],
];

/** The live page as lines of text, none longer than the screen is wide. */
export const drawScreen = (state: LiveState, screen: Screen): Drawn => {
  const { at: now } = state;
  const { columns, rows, coloured, span, onlyEventful, shown } = screen;
  const paint = paintIf(coloured);
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
